"""SQLite specifics: the settings of a connection, the start of a transaction, and a read-only look at any file."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection

from cooldown.storage.tables import VERSION_TABLE

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another writer's transaction."""

SMALLEST_DATABASE = 512
"""Bytes of the smallest database, one page; SQLite would treat a file of one byte as empty and overwrite it."""


def write_ahead(driver: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log. SQLite's own timeout does not apply here."""
    end = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)


def look(path: Path) -> tuple[set[str], Any]:
    """`contents` of any file at `path`: nothing in it is written or repaired."""
    # A `-wal` file holds changes that are not in the file yet. Without one nothing needs recovery, and reading the file
    # as immutable creates no further files beside it.
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT)) as connection:
        connection.text_factory = text
        return contents(connection.execute)


def contents(execute: Callable[[str], Any]) -> tuple[set[str], Any]:
    """The names of a database's tables and views, and its revision, None if it is not a ledger."""
    names = {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()}
    if VERSION_TABLE not in names:
        return names, None
    row = execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return names, row[0] if row else None


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's connection, on which statements start no transaction."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Settings of a new connection."""
    # `begin` starts transactions, not the driver.
    connection.isolation_level = None
    connection.text_factory = text
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def text(stored: bytes) -> str:
    """Text as the file holds it; bytes that are not UTF-8 become surrogates, so that a damaged cell hides no other."""
    return stored.decode(errors="surrogateescape")


def begin(connection: Connection) -> None:
    """Begin a transaction; a writing one takes the lock first."""
    # A writer takes the write lock at once: SQLite cannot wait for a lock requested later in the transaction.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
