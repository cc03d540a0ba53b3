"""SQLite specifics: the settings of a connection, and the start of a transaction."""

import sqlite3
import time
from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import Connection

from cooldown.storage import backend

BUSY_TIMEOUT = 30.0
"""Seconds that a reader waits in the rare moments in which a writer keeps readers out."""

SMALLEST_DATABASE = 512
"""Bytes of the smallest database, one page; SQLite would treat a file of one byte as empty and overwrite it."""

WRITES = "writes"
"""The option of a connection whose transaction takes the write lock."""


def write_ahead(driver: sqlite3.Connection) -> None:
    """Switch the file to a write-ahead log. SQLite's own timeout does not apply here."""
    began = time.monotonic()
    while True:
        try:
            driver.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not locked or not backend.usual_patience(time.monotonic() - began):
                raise
            time.sleep(0.02)


def contents(execute: Callable[[str], Any]) -> tuple[set[str], Any]:
    """The names of a file's tables and views, and its revision, None if it is not a ledger."""
    names = {name for (name,) in execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()}
    return names, backend.revision_of(names, execute)


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
    """Begin a transaction. One that writes takes the lock at once: SQLite cannot wait for a lock that is requested
    later in the transaction.
    """
    if not connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql("BEGIN")
        return
    _set_timeout(driver(connection), backend.TRY)
    driver(connection).execute("BEGIN IMMEDIATE")
    _set_timeout(driver(connection), BUSY_TIMEOUT)


def _set_timeout(connection: sqlite3.Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
