"""A SQLite file as a ledger's database. The file is inspected without changing a byte before it is opened."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import finalize

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cooldown.objectives.files import irregular
from cooldown.storage import read_only, sqlite
from cooldown.storage.backend import Backend
from cooldown.storage.checking import from_json
from cooldown.storage.errors import LedgerError, UnavailableError

EXPLANATIONS = (
    ("file is not a database", "is not a SQLite database"),
    ("file is encrypted", "is not a SQLite database"),
    ("malformed", "is damaged (SQLite: database disk image is malformed)"),
    ("codec can't decode", "is damaged (it names a table in bytes that are not text)"),
    ("no such table", "is damaged ({text}); `cooldown doctor` says what can be done"),
    ("no such column", "is damaged ({text}); `cooldown doctor` says what can be done"),
    ("readonly database", "is read-only: choose another place with --db"),
    ("unable to open", "cannot be opened: does its folder exist, and may you write there?"),
    ("disk is full", "could not be written: the disk is full. What was written before is kept"),
    ("disk I/O error", "could not be read or written: disk I/O error. What was written before is kept"),
)


class _Kept(NamedTuple):
    """A connection that a thread keeps open. file: which one it is to."""

    connection: Connection
    file: tuple[int, int] | None

    @property
    def is_free(self) -> bool:
        """Whether it can begin a transaction."""
        return not self.connection.closed and not self.connection.in_transaction()


class SQLiteFile(Backend):
    """A file. One that may not be written to can be read: if it is older, or its log has no index, from a temporary
    copy.
    """

    # SQLite's own message may quote a damaged name.
    errors = (DBAPIError, sqlite3.Error, UnicodeDecodeError)

    def __init__(self, path: Path) -> None:
        self.file = self._path = path
        # A file name need not be valid text, but a message must.
        self.where = str(path).encode(errors="replace").decode()
        self._kept = threading.local()

    def look(self) -> tuple[set[str], Any] | None:
        """See `Backend`."""
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LedgerError(f"the ledger {self.where} cannot be opened: {error.strerror}") from None
        if (kind := irregular(status.st_mode)) is not None:
            raise LedgerError(f"the ledger {self.where} is {kind}, not a file")
        if 0 < status.st_size < sqlite.SMALLEST_DATABASE:
            raise LedgerError(f"the ledger {self.where} is not a SQLite database")
        return read_only.look(self._path)

    def contents(self, connection: Connection) -> tuple[set[str], Any]:
        """See `Backend`."""
        return sqlite.contents(connection.exec_driver_sql)

    def open(self, *, current: bool) -> None:
        """See `Backend`."""
        self._may_write = not self._path.exists() or read_only.is_writable(self._path)
        if not self._may_write and current and read_only.is_readable_in_place(self._path):
            self.engine = _engine("sqlite://", creator=lambda: read_only.connect(self._path))
        else:
            place = self._path if self._may_write else self._copy()
            self.engine = _engine(URL.create("sqlite", database=str(place.absolute())))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """See `Backend`."""
        if not self._may_write:
            raise sqlite3.OperationalError("attempt to write a readonly database")
        with self._to_write() as connection, connection.begin():
            yield connection

    @contextmanager
    def _to_write(self) -> Iterator[Connection]:
        """The connection that this thread keeps open, or a new one."""
        kept: _Kept | None = getattr(self._kept, "by_thread", None)
        # Where the file was replaced meanwhile, what is written to the old one would be lost.
        if kept is not None and kept.is_free and kept.file == self._identity():
            yield kept.connection
            return
        with self.engine.connect() as connection:
            yield connection.execution_options(**{sqlite.WRITES: True})

    def _identity(self) -> tuple[int, int] | None:
        """Which file it is on this machine; None for none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self.engine.connect() as connection:
            # Neither can be changed inside a transaction. The first is stored in the file. The second is for migrations
            # that recreate a table: dropping the old one would delete every row that refers to its rows.
            sqlite.write_ahead(sqlite.driver(connection))
            sqlite.driver(connection).execute("PRAGMA foreign_keys = OFF")
            connection.execution_options(**{sqlite.WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """See `Backend`. SQLite copies the whole log into the file when the last connection closes. This thread writes
        with the one that is kept, as opening another takes as long as a small transaction.
        """
        connection = self.engine.connect()
        sqlite.driver(connection).execute("SELECT count(*) FROM sqlite_master").fetchall()
        connection.execution_options(**{sqlite.WRITES: True})
        before = getattr(self._kept, "by_thread", None)
        self._kept.by_thread = _Kept(connection, self._identity())
        try:
            with connection:
                yield
        finally:
            self._kept.by_thread = before

    def lock_names(self, connection: Connection) -> None:
        """See `Backend`: a transaction that writes has locked the whole file."""

    def now(self, _connection: Connection) -> float:
        """See `Backend`: the file's machine is this one."""
        return time.time()

    def explained(self, error: Exception) -> LedgerError:
        """See `Backend`."""
        text = str(error.orig if isinstance(error, DBAPIError) else error)
        if "database is locked" in text:
            return UnavailableError(f"the ledger {self.where} is locked by another program")
        for phrase, explanation in EXPLANATIONS:
            if phrase in text:
                return LedgerError(f"the ledger {self.where} {explanation.format(text=text)}")
        return LedgerError(f"the ledger {self.where} cannot be used: {text}")

    def _copy(self) -> Path:
        """A copy of the file, which is removed with this object."""
        stack = ExitStack()
        try:
            place = stack.enter_context(read_only.copied(self._path))
        except OSError as error:
            raise LedgerError(
                f"the ledger {self.where} is read-only, and cannot be copied: {error.strerror}"
            ) from error
        finalize(self, stack.close)
        return place


def _engine(url: URL | str, **options: Any) -> Engine:
    # No pool: connections must not be shared between threads, and opening one is cheap.
    engine = create_engine(url, poolclass=NullPool, json_deserializer=from_json, **options)
    event.listen(engine, "connect", sqlite.prepare)
    event.listen(engine, "begin", sqlite.begin)
    return engine
