"""Reading a SQLite file without a change to it or its folder, which may both be read-only.

A `-wal` file beside it, the log, holds changes that are not in the file yet. They are found by an index, a `-shm` file,
which the first reader writes. Without a log nothing needs an index, and reading the file as immutable creates no file
beside it.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cooldown.storage.sqlite import BUSY_TIMEOUT, contents, text

TICK = 0.01
"""Seconds within which two changes of a file may have the same time."""


def is_writable(path: Path) -> bool:
    """Whether an existing database can be changed: the file, and its folder, in which SQLite keeps its log."""
    return os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that reads the file in place. May be used where `is_readable_in_place` is true."""
    mode = "mode=ro" if _beside(path, "-wal").exists() and _has_index(path) else "immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT)
    connection.text_factory = text
    return connection


def is_readable_in_place(path: Path) -> bool:
    """Whether all changes can be read: false for a log without an index where none can be written."""
    try:
        has_log = _beside(path, "-wal").stat().st_size > 0
    except FileNotFoundError:
        # Whoever closes the last connection removes it, at any moment.
        has_log = False
    return not has_log or _has_index(path)


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy of the file with its log, in a temporary folder that is removed when the context ends."""
    with TemporaryDirectory(prefix="cooldown-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(_beside(path, "-wal"), _beside(copy, "-wal"))
        yield copy


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads the file in place, or else in a copy."""
    with ExitStack() as stack:
        place = path if is_readable_in_place(path) else stack.enter_context(copied(path))
        yield stack.enter_context(closing(connect(place)))


def look(path: Path) -> tuple[set[str], Any]:
    """`contents` of any file at `path`: nothing in it is written or repaired.

    What is read as immutable while a log is brought into the file may be half of a change, and is read again.
    """
    began = time.monotonic()
    while True:
        before = _version(path)
        is_last = time.monotonic() - began > BUSY_TIMEOUT
        try:
            with opened(path) as connection:
                found = contents(connection.execute)
        except sqlite3.DatabaseError:
            if is_last or (_version(path) == before and not _has_just_changed(path)):
                raise
        else:
            if is_last or _version(path) == before:
                return found
        time.sleep(TICK)


def _version(path: Path) -> tuple[int, int, int] | None:
    """What differs after a change of the file, but for a second one within a tick; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _has_just_changed(path: Path) -> bool:
    version = _version(path)
    return version is not None and abs(time.time_ns() - version[2]) < 2 * TICK * 10**9


def _has_index(path: Path) -> bool:
    return _beside(path, "-shm").exists() or os.access(path.absolute().parent, os.W_OK)


def _beside(path: Path, suffix: str) -> Path:
    return Path(f"{path}{suffix}")
