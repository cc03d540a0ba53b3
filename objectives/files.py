"""Files from outside, read whole: only regular files, and only up to a size.

A pipe, a device or a file that grows without end would hang a command or fill the memory. Every file that a user or a
ledger names is therefore read by `read_file`.
"""

import stat
from pathlib import Path

from cooldown.objectives.errors import InputError

MB = 1_000_000

TABLE_BYTES = 1_000 * MB
"""The largest table: pandas needs a multiple of it in memory."""

MODEL_BYTES = 1_000 * MB
"""The largest trained model; most are below 1 MB."""

DOCUMENT_BYTES = 2 * MB
"""The largest spec or exported configuration; both are a few kB as a rule."""

LINE = 1_000_000
"""The most characters of a table's header line."""


def read_file(path: Path, what: str, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    what: the file in messages, such as `spec file 'a.toml'`. Raises InputError for a file that is missing, is a pipe or
    a device, cannot be read, or is larger.
    """
    try:
        status = path.stat()
        if (kind := irregular(status.st_mode)) is not None:
            raise InputError(f"{what}: cannot be read: is {kind}, not a file")
        if status.st_size <= most:
            with path.open("rb") as file:
                # Piece by piece: some files say nothing of their size, and others grow.
                pieces = [file.read(min(MB, most + 1))]
                while pieces[-1] and sum(map(len, pieces)) <= most:
                    pieces.append(file.read(MB))
            if len(content := b"".join(pieces)) <= most:
                return content
    except FileNotFoundError:
        raise InputError(f"{what}: there is no such file") from None
    except InputError:
        raise
    # A path may contain invalid characters, and links may form a loop.
    except (OSError, ValueError) as error:
        raise InputError(f"{what}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    raise InputError(f"{what}: has more than {most // MB:,} MB, the limit for this kind of file")


def irregular(mode: int) -> str | None:
    """What a file of this mode (`st_mode`) is, in words, if it is not a regular file."""
    for check, kind in ((stat.S_ISREG, None), (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe")):
        if check(mode):
            return kind
    return "a device or a socket"
