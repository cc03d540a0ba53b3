"""A ledger's database: what it holds is checked first; then transactions, which are tried again, and migrations.

Only a missing or empty database, or a ledger, is ever changed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, insert

from cooldown.storage.address import is_postgresql, sqlite_path
from cooldown.storage.backend import Backend, Patience, usual_patience
from cooldown.storage.errors import LedgerError, NoLedgerError, UnavailableError
from cooldown.storage.sqlite_file import SQLiteFile
from cooldown.storage.tables import REVISION, VERSION_TABLE, experiments, metadata, version

MIGRATIONS = Path(__file__).parent / "migrations"

PAUSE = 0.1
"""Seconds between two tries, where a try ends at once."""

RECONNECT = 60.0
"""Seconds that a reader waits for a server that has answered before."""

T = TypeVar("T")


class Database:
    """A ledger's database with read and write transactions, whose errors have clear messages.

    Raises LedgerError if it cannot be opened, is not a ledger, or has an unknown revision. With `create`, an empty
    database or a missing file becomes a ledger. An older ledger is migrated.
    """

    def __init__(self, url: str, *, create: bool) -> None:
        self._backend = _backend(url)
        self.where, self.file = self._backend.where, self._backend.file
        with self._explaining():
            current = self._check(create)
            self._backend.open(current=current)
        if not current:
            _again(self._bring_up_to_date, usual_patience)

    @property
    def engine(self) -> Engine:
        """The source of its connections."""
        return self._backend.engine

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns in a transaction that sees one state of the database. It is called again if the server
        was lost meanwhile.
        """

        def once() -> T:
            with self.reading() as connection:
                return work(connection)

        return _again(once, lambda waited: waited < RECONNECT)

    def write(
        self, work: Callable[[Connection], T], patience: Patience = usual_patience, *, repeatable: bool = True
    ) -> T:
        """What `work` returns in a transaction that is committed completely or, after an exception, rolled back.

        patience: for how long to try again while another program has a lock, or the server does not answer.
        repeatable: whether `work` may be called again where it is unknown if it was committed: when the server was lost
        before its answer.
        """
        uncertain = False

        def once() -> T:
            nonlocal uncertain
            with self.writing() as connection:
                done = work(connection)
                uncertain = not repeatable
            uncertain = False
            return done

        return _again(once, lambda waited: not uncertain and patience(waited))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in a transaction that sees one state of the database, tried once."""
        with self._explaining(), self._backend.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in a transaction that is committed completely or rolled back after an exception, tried once."""
        with self._explaining(), self._backend.writing() as connection:
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Make many transactions cheap."""
        with ExitStack() as stack:
            with self._explaining():
                stack.enter_context(self._backend.kept_open())
            yield

    def lock_names(self, connection: Connection) -> None:
        """Until the end of this writing transaction, no other process adds an experiment."""
        self._backend.lock_names(connection)

    def now(self, connection: Connection) -> float:
        """Seconds since 1970 by the database's clock."""
        return self._backend.now(connection)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except self._backend.errors as error:
            raise self._backend.explained(error) from error

    def _check(self, create: bool) -> bool:
        """Whether it is a ledger of the current revision; raises LedgerError if it cannot become one."""
        found = self._backend.look()
        if found is None:
            if create:
                return False
            raise NoLedgerError(f"there is no ledger at {self.where}: `cooldown compare digits` creates one")
        names, revision = found
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
        with self._explaining(), self._backend.migrating() as connection:
            # Looked at again, now that no other process can be migrating.
            _, revision = self._backend.contents(connection)
            if revision is None:
                _create(connection)
            elif revision != REVISION:
                migrate(connection)


def _backend(url: str) -> Backend:
    if not is_postgresql(url):
        return SQLiteFile(sqlite_path(url))
    from cooldown.storage.postgresql import PostgreSQL

    return PostgreSQL(url)


def _again(once: Callable[[], T], patience: Patience) -> T:
    """What `once` returns, called again while it cannot be done at the moment and there is patience."""
    began = time.monotonic()
    while True:
        tried = time.monotonic()
        try:
            return once()
        except UnavailableError:
            if not patience(time.monotonic() - began):
                raise
        time.sleep(max(0.0, PAUSE - (time.monotonic() - tried)))


def _known_revisions() -> set[Any]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _create(connection: Connection) -> None:
    """The tables of a new ledger, as all migrations together would make them, and Optuna's."""
    from cooldown.storage.optuna_rows import create_tables

    metadata.create_all(connection, checkfirst=False)
    version.create(connection)
    connection.execute(insert(version), {"version_num": REVISION})
    create_tables(connection)


def migrate(connection: Connection, revision: str = "head") -> None:
    """Migrate the ledger's own tables to a later revision."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
