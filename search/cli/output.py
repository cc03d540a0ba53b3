"""Output files of commands: no file is overwritten without --force, and paths are checked before the work starts."""

import errno
import os
import shutil
import sys
import time
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from cooldown.interrupts import orderly
from cooldown.objectives.errors import InputError

STDOUT = "-"
"""The FILE that means standard output."""

PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two tries to replace a file that another program has open."""


def check_output(path: Path, force: bool) -> None:
    """Raise InputError if `path` cannot be written, or if it exists and `force` is not set."""
    try:
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder: give the path of a file with -o")
        if os.path.lexists(path) and not force:
            raise InputError(f"{str(path)!r} already exists: choose another file with -o, or overwrite it with --force")
        folder = path.resolve().parent
        if not _is_device(path) and not folder.is_dir():
            raise InputError(f"{str(path)!r} cannot be written: the folder {str(path.parent)!r} does not exist")
        if not os.access(path if _is_device(path) else folder, os.W_OK):
            raise InputError(f"{str(path)!r} cannot be written: no write permission in {str(path.parent)!r}")
    except InputError:
        raise
    # A path may contain invalid characters, and links may form a loop.
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{str(path)!r} cannot be written: {reason}") from error


def print_content(content: str | bytes) -> None:
    """Write `content` to standard output as it is, text as UTF-8."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content.encode() if isinstance(content, str) else content)


def file_name(name: str) -> str:
    """The experiment's name as a file name, with other characters than letters, digits and -_. replaced."""
    kept = "".join(character if character.isalnum() or character in "-_." else "-" for character in name)
    return kept.strip("-.")[:100] or "experiment"


def write_output(path: Path, content: str | bytes, force: bool) -> None:
    """Write `content` to `path`, text as UTF-8; if that fails, raises InputError and keeps the previous file."""
    data = content.encode() if isinstance(content, str) else content
    try:
        if force and _is_device(path):
            _write_to_device(path, data)
        elif force and path.is_file():
            with orderly():
                _overwrite(path.resolve(), data)
        else:
            with orderly():
                _write_new(path.resolve() if force else path, data)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    """Whether it is a pipe, a terminal or another special file, which is written to directly."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _write_to_device(path: Path, data: bytes) -> None:
    """Write to a pipe or a device; raises InputError for a pipe that nobody reads, which would wait for ever."""
    try:
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise InputError(f"{str(path)!r} cannot be written: nobody reads this pipe") from None
        raise
    with os.fdopen(descriptor, "wb") as file:
        os.set_blocking(descriptor, True)
        file.write(data)


def _write_new(path: Path, data: bytes) -> None:
    # Mode x: a file that was created in the meantime is not overwritten either.
    _fill(path.open("xb"), path, data)


def _overwrite(path: Path, data: bytes) -> None:
    """Replace the file atomically by a new one with the same mode."""
    file = NamedTemporaryFile(dir=path.parent, prefix=".", delete=False)  # noqa: SIM115
    written = Path(file.name)
    _fill(file, written, data)
    try:
        shutil.copymode(path, written)
        _replace(path, written)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def _fill(file: IO[bytes], path: Path, data: bytes) -> None:
    """Write a new file at `path` and close it, or remove it. Windows neither moves nor removes a file that is open."""
    try:
        with file:
            file.write(data)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _replace(path: Path, written: Path) -> None:
    """Move `written` to `path`. Windows refuses while another program has `path` open: virus scanners, indexers and
    synchronized folders do so for a moment, a spreadsheet for as long as it shows the file.
    """
    for pause in PAUSES:
        try:
            written.replace(path)
            return
        except PermissionError:
            time.sleep(pause)
    written.replace(path)
