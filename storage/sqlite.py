"""SQLite specifics: the settings of a connection, and the start of a transaction."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection

from cooldown.storage.tables import VERSION_TABLE

BUSY_TIMEOUT = 30.0
"""Seconds that a reader waits in the rare moments in which a writer keeps readers out."""

LOCK_TIMEOUT = 120.0
"""Seconds that a writer waits for another writer's transaction, unless it has more patience."""

TRY = 0.5
"""Seconds of one try to take the write lock, in which Python does not see Ctrl-C."""

SMALLEST_DATABASE = 512
"""Bytes of the smallest database, one page; SQLite would treat a file of one byte as empty and overwrite it."""

Patience = Callable[[float], bool]
"""Whether a writer that has waited for the write lock for so many seconds waits on."""


def usual_patience(waited: float) -> bool:
    """Wait for a writer's transaction, but not for a program that keeps the ledger locked."""
    return waited < LOCK_TIMEOUT


def write_ahead(driver: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log. SQLite's own timeout does not apply here."""
    _waiting(driver, "PRAGMA journal_mode = WAL", usual_patience, pause=0.02)


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
    _set_timeout(connection, BUSY_TIMEOUT)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def text(stored: bytes) -> str:
    """Text as the file holds it; bytes that are not UTF-8 become surrogates, so that a damaged cell hides no other."""
    return stored.decode(errors="surrogateescape")


def begin(connection: Connection) -> None:
    """Begin a transaction; a writing one, whose option `writes` is its patience, takes the lock first."""
    patience: Patience | None = connection.get_execution_options().get("writes")
    if patience is None:
        connection.exec_driver_sql("BEGIN")
        return
    # A writer takes the write lock at once: SQLite cannot wait for a lock requested later in the transaction.
    _set_timeout(driver(connection), TRY)
    _waiting(driver(connection), "BEGIN IMMEDIATE", patience)
    _set_timeout(driver(connection), BUSY_TIMEOUT)


def _waiting(connection: sqlite3.Connection, statement: str, patience: Patience, pause: float = 0.0) -> None:
    """Execute a statement again while another connection keeps the database locked. pause: seconds between two tries,
    where SQLite itself does not wait.
    """
    began = time.monotonic()
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not locked or not patience(time.monotonic() - began):
                raise
            time.sleep(pause)


def _set_timeout(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
