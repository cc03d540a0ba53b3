"""Output files of commands: no file is overwritten without --force, and paths are checked before the work starts."""

import errno
import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from cooldown.interrupts import orderly
from cooldown.objectives.errors import InputError


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
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            path.unlink()
            raise


def _overwrite(path: Path, data: bytes) -> None:
    """Replace the file atomically by a new one with the same mode."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        written = Path(file.name)
        try:
            file.write(data)
            file.flush()
            shutil.copymode(path, written)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
