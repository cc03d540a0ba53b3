"""Files that a command writes: nothing is written over unasked, and what cannot be written is told before the work."""

from pathlib import Path

from objectives.errors import InputError


def check_output(path: Path, force: bool) -> None:
    """Raise InputError where `path` cannot be written, or not without `force`."""
    try:
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder: name a file in it with -o")
        if path.exists() and not force:
            raise InputError(f"{str(path)!r} exists already: name another file with -o, or write over it with --force")
        if not path.parent.is_dir():
            raise InputError(f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")
    except InputError:
        raise
    # A path may hold what no path can.
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{str(path)!r} cannot be written: {reason}") from error


def write_output(path: Path, content: str | bytes, force: bool) -> None:
    """Write `content` to `path`, texts as UTF-8; raises InputError where that cannot be, and leaves what was there."""
    data = content.encode() if isinstance(content, str) else content
    # Over a file that exists only whole: written beside it first, in the folder that a link leads to.
    target = path.resolve() if force and path.is_file() else None
    written = path if target is None else target.with_name(f".{target.name}.part")
    try:
        # Even a file that came to be in the meantime is not written over unasked.
        with written.open("wb" if force else "xb") as file:
            file.write(data)
        if target is not None:
            written.replace(target)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error
