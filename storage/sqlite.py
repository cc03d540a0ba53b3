"""What is SQLite's own: the settings of a connection, how a transaction begins, and a look at a file that may be
anybody's.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection

from cooldown.storage.tables import VERSION_TABLE

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another's transaction."""

SMALLEST_DATABASE = 512
"""Bytes of a database of one page; SQLite takes a file of a single byte for an empty one and would write over it."""


def write_ahead(driver: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log. For this SQLite does not wait by itself, whatever its timeout."""
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
    """`contents` of the file at `path`, whosever it is: nothing is written to it or repaired in it."""
    # A `-wal` file holds what is not in the file yet. Without one there is nothing to wait for or to recover, and an
    # immutable file is read without SQLite's own files appearing beside it.
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT)) as connection:
        return contents(connection.execute)


def contents(execute: Callable[[str], Any]) -> tuple[set[str], Any]:
    """The names of a database's tables and views, and its revision: None where it is not a ledger."""
    names = {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()}
    if VERSION_TABLE not in names:
        return names, None
    row = execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()
    return names, row[0] if row else None


def driver(connection: Connection) -> sqlite3.Connection:
    """The driver's connection, on which a statement begins no transaction."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def prepare(connection: sqlite3.Connection, _record: Any) -> None:
    """Settings of a new connection."""
    # Transactions are begun by `begin`, not by the driver's guess.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def begin(connection: Connection) -> None:
    """Begin a transaction; one that writes takes the lock first."""
    # A writer takes the write lock at once: a lock asked for halfway cannot be waited for.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
