"""What a database has to do to hold a ledger: the contract of `sqlite_file.py` and `postgresql.py`.

**Threads.** A backend may be used by several threads at once; a connection belongs to the thread that opened it.

**Transactions.** A reading transaction sees one state of the database, however long it lasts. A writing transaction is
committed completely or not at all, and what it has locked stays as it is until then: SQLite locks the whole file when
the transaction begins, PostgreSQL the rows that it selects `with_for_update()`. So whoever changes an experiment
selects its row that way first.

**Waiting.** A transaction is tried for about half a second. If another program holds a lock for longer, or the server
does not answer, UnavailableError is raised, and `Database.write` and `Database.read` try again.

**Clock.** Leases are judged by `now`, the clock of the machine that has the database, which all processes share.

**Ownership.** Before `open`, nothing in the database is changed. A backend owns its connections and files beside the
database; at most `MOST_CONNECTIONS` connections are open in one process.

**Errors.** What the driver raises is one of `errors`, and `explained` makes a LedgerError with one complete sentence of
it, in which no password appears.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine

from cooldown.storage.errors import LedgerError
from cooldown.storage.tables import VERSION_TABLE

TRY = 0.5
"""Seconds of one try to get a lock, in which Python may not see Ctrl-C."""

LOCK_TIMEOUT = 120.0
"""Seconds that a writer waits for another writer's transaction, unless it has more patience."""

MOST_CONNECTIONS = 16

Patience = Callable[[float], bool]
"""Whether someone who has waited for so many seconds waits on."""


def usual_patience(waited: float) -> bool:
    """Wait for a writer's transaction, but not for a program that keeps the ledger locked."""
    return waited < LOCK_TIMEOUT


class Backend(ABC):
    """One database, at one address. The module says what must hold of it.

    where: its address in messages, without a password. file: None on a server. engine: set by `open`.
    """

    errors: ClassVar[tuple[type[Exception], ...]]
    where: str
    file: Path | None
    engine: Engine

    @abstractmethod
    def look(self) -> tuple[set[str], Any] | None:
        """Its `contents`, without a change to it; None where there is no database yet that
        `open` could not create. Raises LedgerError where nothing can be read or created.
        """

    @abstractmethod
    def contents(self, connection: Connection) -> tuple[set[str], Any]:
        """The names of its tables and views, and its revision, None if it is not a ledger."""

    @abstractmethod
    def open(self, *, current: bool) -> None:
        """Make transactions possible. current: whether it is a ledger that needs no migration."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """A connection in a reading transaction."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """A connection in a writing transaction: committed at the end, rolled back after an exception."""

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """A connection in a writing transaction that changes the tables, while no other process does."""

    @abstractmethod
    def kept_open(self) -> AbstractContextManager[None]:
        """Inside, many transactions are cheap."""

    @abstractmethod
    def lock_names(self, connection: Connection) -> None:
        """Until the end of this writing transaction, no other process adds an experiment."""

    @abstractmethod
    def now(self, connection: Connection) -> float:
        """Seconds since 1970 by the database's clock."""

    @abstractmethod
    def explained(self, error: Exception) -> LedgerError:
        """An error of the driver in one sentence; an UnavailableError if the same may succeed later."""


def revision_of(names: set[str], execute: Callable[[str], Any]) -> Any:
    """The revision of a database with these tables, None if it is not a ledger."""
    row = execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() if VERSION_TABLE in names else None
    return row[0] if row else None
