"""Files that a command writes: nothing is written over unasked, and what cannot be written is told before the work."""

import os
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile

from cooldown.objectives.errors import InputError


def check_output(path: Path, force: bool) -> None:
    """Raise InputError where `path` cannot be written, or not without `force`."""
    try:
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder: name a file in it with -o")
        if os.path.lexists(path) and not force:
            raise InputError(f"{str(path)!r} exists already: name another file with -o, or write over it with --force")
        folder = path.resolve().parent
        if not _is_device(path) and not folder.is_dir():
            raise InputError(f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")
        if not os.access(path if _is_device(path) else folder, os.W_OK):
            raise InputError(f"{str(path)!r} cannot be written: you may not write in {str(path.parent)!r}")
    except InputError:
        raise
    # A path may hold what no path can, and links may lead in a circle.
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{str(path)!r} cannot be written: {reason}") from error


def write_output(path: Path, content: str | bytes, force: bool) -> None:
    """Write `content` to `path`, texts as UTF-8; raises InputError where that cannot be, and leaves what was there."""
    data = content.encode() if isinstance(content, str) else content
    try:
        if force and _is_device(path):
            path.write_bytes(data)
        elif force and path.is_file():
            _write_over(path.resolve(), data)
        else:
            _write_new(path.resolve() if force else path, data)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error


def _is_device(path: Path) -> bool:
    """Whether it is a pipe, a terminal or the like, which is written to as it is."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _write_new(path: Path, data: bytes) -> None:
    # Even a file that came to be in the meantime is not written over unasked.
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
        except BaseException:
            path.unlink()
            raise


def _write_over(path: Path, data: bytes) -> None:
    """Whole or not at all: a file beside it takes its place, with its mode."""
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
