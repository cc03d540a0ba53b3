"""Opening a ledger's database: checks of the file, connections, transactions and migrations.

A file is inspected without changing a byte before it is opened for writing: only a missing or empty file, or a ledger,
is ever changed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cooldown.objectives.files import irregular
from cooldown.storage import read_only, sqlite
from cooldown.storage.address import sqlite_path
from cooldown.storage.checking import from_json
from cooldown.storage.errors import LedgerError, NoLedgerError, explained
from cooldown.storage.sqlite import Patience, usual_patience
from cooldown.storage.tables import REVISION, VERSION_TABLE, experiments

READ_ONLY = sqlite3.OperationalError("attempt to write a readonly database")

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """A ledger's SQLite file with read and write transactions, whose errors have clear messages.

    Raises LedgerError if it cannot be opened, is not a ledger, or has an unknown revision. With `create`, an empty or
    missing file becomes a ledger. An older ledger is migrated. One that may not be written to can be read: if it is
    older, or its log has no index, from a temporary copy.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        path = sqlite_path(url)
        # A file name need not be valid text, but a message must.
        self.where = str(path).encode(errors="replace").decode()
        current = self._check(path, create)
        self._may_write = not path.exists() or read_only.is_writable(path)
        if not self._may_write and current and read_only.is_readable_in_place(path):
            self.engine = _engine("sqlite://", creator=lambda: read_only.connect(path))
        else:
            place = path if self._may_write else self._copy(path)
            self.engine = _engine(URL.create("sqlite", database=str(place.absolute())))
        if not current:
            self._bring_up_to_date()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database."""
        with self._explaining(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, patience: Patience = usual_patience) -> Iterator[Connection]:
        """A connection in a transaction that is committed completely or, after an exception, rolled back.

        patience: for how long to wait for the transaction of another writer.
        """
        if not self._may_write:
            raise explained(READ_ONLY, self.where)
        with self._explaining(), self.engine.connect() as connection:
            connection.execution_options(writes=patience)
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

    def _copy(self, path: Path) -> Path:
        """A copy of the file, which is removed with this object."""
        stack = ExitStack()
        try:
            place = stack.enter_context(read_only.copied(path))
        except OSError as error:
            raise LedgerError(
                f"the ledger {self.where} is read-only, and cannot be copied: {error.strerror}"
            ) from error
        finalize(self, stack.close)
        return place

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
        if (kind := irregular(status.st_mode)) is not None:
            raise LedgerError(f"the ledger {self.where} is {kind}, not a file")
        if 0 < status.st_size < sqlite.SMALLEST_DATABASE:
            raise LedgerError(f"the ledger {self.where} is not a SQLite database")
        try:
            names, revision = read_only.look(path)
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
            connection.execution_options(writes=usual_patience)
            with connection.begin():
                # Read again, now that no other process can be migrating.
                _, revision = sqlite.contents(connection.exec_driver_sql)
                if revision != REVISION:
                    _migrate(connection, fresh=revision is None)


def _engine(url: URL | str, **options: Any) -> Engine:
    # No pool: connections must not be shared between threads, and opening one is cheap.
    engine = create_engine(url, poolclass=NullPool, json_deserializer=from_json, **options)
    event.listen(engine, "connect", sqlite.prepare)
    event.listen(engine, "begin", sqlite.begin)
    return engine


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
