"""Opening a ledger's database: connection settings, whose database it is, and its migrations."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from storage.errors import LedgerError, explained
from storage.tables import REVISION, VERSION_TABLE

BUSY_TIMEOUT = 30.0
"""Seconds that a writer waits for another's transaction."""


class Database:
    """A database with read and write transactions, both of which explain what goes wrong.

    Raises LedgerError where it cannot be opened, is not a ledger, or is one of a newer version. With `create`, an empty
    or absent database becomes a ledger; an older one is brought up to date.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        try:
            self.url = make_url(url)
            if self.url.get_backend_name() == "sqlite" and self.url.database not in (None, "", ":memory:"):
                self.path: Path | None = Path(str(self.url.database))
                self.where = str(self.path)
            else:
                self.path, self.where = None, self.url.render_as_string(hide_password=True)
            if self.path is not None and not create and not self.path.exists():
                raise LedgerError(f"there is no ledger at {self.where}: `cooldown compare digits` starts one")
            # No pool: a connection must not be shared between threads, and opening one costs little.
            self.engine: Engine = create_engine(self.url, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise LedgerError(f"--db {url!r} is not a database address, such as sqlite:///cooldown.db: {error}") from None
        if self.path is None and self.url.get_backend_name() == "sqlite":
            raise LedgerError(f"--db {url!r}: a ledger is kept in a file, such as sqlite:///cooldown.db")
        if self.path is not None and self.path.is_dir():
            raise LedgerError(f"the ledger {self.where} is a folder, not a file")
        if self.url.get_backend_name() == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._check(create)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database."""
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except DBAPIError as error:
            raise explained(error, self.where) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is written as a whole or, after an exception, not at all."""
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(writes=True)
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise explained(error, self.where) from error

    def _check(self, create: bool) -> None:
        with self.reading() as connection:
            revision, tables = _revision(connection)
        if revision == REVISION:
            return
        if revision is None and tables:
            raise LedgerError(
                f"the database {self.where} is not a Cooldown ledger (it holds {', '.join(sorted(tables)[:3])}, …): "
                "choose another place with --db"
            )
        if revision is not None and revision > REVISION:
            raise LedgerError(f"the ledger {self.where} was written by a newer Cooldown (revision {revision}): update it")
        if revision is None and not create:
            raise LedgerError(f"the database {self.where} is empty: `cooldown compare digits` makes it a ledger")
        if self.url.get_backend_name() == "sqlite":
            # The journal's mode is a property of the file and cannot change inside a transaction.
            with self.engine.connect() as connection:
                _set_wal(connection.connection.dbapi_connection)
        with self.writing() as connection:
            # Looked up again, now that no other process can be migrating.
            revision, _ = _revision(connection)
            if revision != REVISION:
                _migrate(connection, fresh=revision is None)


def _revision(connection: Connection) -> tuple[str | None, set[str]]:
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        return None, tables
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar(), tables


def _migrate(connection: Connection, *, fresh: bool) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if fresh:
        from storage.optuna_rows import create_tables

        create_tables(connection)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # Transactions are begun by `_begin_sqlite`, not by the driver's guess.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _set_wal(connection: Any) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        raise explained(DBAPIError("PRAGMA journal_mode", {}, error), "database") from error


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the write lock at once: a lock asked for halfway cannot be waited for.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
