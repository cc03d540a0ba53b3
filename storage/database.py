"""Opening a ledger's database: checks of the file, connections, transactions and migrations.

A file is inspected without changing a byte before it is opened for writing: only a missing or empty file, or a ledger,
is ever changed.
"""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cooldown.storage import sqlite
from cooldown.storage.address import sqlite_path
from cooldown.storage.checking import from_json
from cooldown.storage.errors import LedgerError, NoLedgerError, explained
from cooldown.storage.tables import REVISION, VERSION_TABLE, experiments

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """A ledger's SQLite file with read and write transactions, whose errors have clear messages.

    Raises LedgerError if it cannot be opened, is not a ledger, or has an unknown revision. With `create`, an empty or
    missing file becomes a ledger. An older ledger is migrated.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        path = sqlite_path(url)
        # A file name need not be valid text, but a message must.
        self.where = str(path).encode(errors="replace").decode()
        current = self._check(path, create)
        # No pool: connections must not be shared between threads, and opening one is cheap.
        url_of_file = URL.create("sqlite", database=str(path.absolute()))
        self.engine: Engine = create_engine(url_of_file, poolclass=NullPool, json_deserializer=from_json)
        event.listen(self.engine, "connect", sqlite.prepare)
        event.listen(self.engine, "begin", sqlite.begin)
        if not current:
            self._bring_up_to_date()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database."""
        with self._explaining(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is committed completely or, after an exception, rolled back."""
        with self._explaining(), self.engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Make many transactions cheap: SQLite copies the whole log into the file when the last connection closes."""
        with self._explaining():
            connection = self.engine.connect()
            sqlite.driver(connection).execute("SELECT count(*) FROM sqlite_master").fetchall()
        with connection:
            yield

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise explained(error.orig, self.where) from error
        # SQLite's own message may quote a damaged name.
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise explained(error, self.where) from error

    def _check(self, path: Path, create: bool) -> bool:
        """Whether the file is a ledger of the current revision; raises LedgerError if it cannot become one."""
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            if create:
                return False
            raise NoLedgerError(f"there is no ledger at {self.where}: `cooldown compare digits` creates one") from None
        except OSError as error:
            raise LedgerError(f"the ledger {self.where} cannot be opened: {error.strerror}") from None
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
            raise LedgerError(f"the ledger {self.where} is {kind}, not a file")
        if 0 < status.st_size < sqlite.SMALLEST_DATABASE:
            raise LedgerError(f"the ledger {self.where} is not a SQLite database")
        try:
            names, revision = sqlite.look(path)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise explained(error, self.where) from error
        if revision == REVISION:
            return True
        if revision is None and experiments.name in names:
            raise LedgerError(f"the ledger {self.where} is damaged: its table {VERSION_TABLE} is missing or empty")
        if names and revision is None:
            contents = ", ".join(sorted(names)[:3]) + (", …" if len(names) > 3 else "")
            raise LedgerError(
                f"the database {self.where} is not a Cooldown ledger (it holds {contents}): "
                "choose another place with --db"
            )
        if revision is not None and revision not in _known_revisions():
            raise LedgerError(
                f"the ledger {self.where} was written by a newer Cooldown (revision {revision}; this version reads "
                f"revisions up to {REVISION}): update Cooldown"
            )
        if revision is None and not create:
            raise NoLedgerError(f"the database {self.where} is empty: `cooldown compare digits` makes it a ledger")
        return False

    def _bring_up_to_date(self) -> None:
        with self._explaining(), self.engine.connect() as connection:
            # Neither can be changed inside a transaction. The first is stored in the file. The second is for migrations
            # that recreate a table: dropping the old one would delete every row that refers to its rows.
            sqlite.write_ahead(sqlite.driver(connection))
            sqlite.driver(connection).execute("PRAGMA foreign_keys = OFF")
            connection.execution_options(writes=True)
            with connection.begin():
                # Read again, now that no other process can be migrating.
                _, revision = sqlite.contents(connection.exec_driver_sql)
                if revision != REVISION:
                    _migrate(connection, fresh=revision is None)


def _known_revisions() -> set[Any]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _migrate(connection: Connection, *, fresh: bool) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if fresh:
        from cooldown.storage.optuna_rows import create_tables

        create_tables(connection)
