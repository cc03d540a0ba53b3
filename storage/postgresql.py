"""A PostgreSQL database as a ledger's, through psycopg (`pip install 'cooldown[postgres]'`).

All ledgers of a process at the same address share a pool of connections. One that was lost, as when its server was
restarted, is replaced by the next transaction.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from cooldown.storage.address import postgresql_url, shown
from cooldown.storage.backend import MOST_CONNECTIONS, TRY, Backend, revision_of
from cooldown.storage.errors import LedgerError, UnavailableError

KEPT_CONNECTIONS = 4
"""Those that stay open while nobody uses them."""

CONNECTION: Mapping[str, Any] = {
    "application_name": "cooldown",
    "connect_timeout": 10,
    # A machine that has vanished, which closes no connection, is noticed within 20 s.
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""libpq's settings, each of which the address may set otherwise. Seconds, the last one milliseconds."""

SETTINGS = f"SET lock_timeout = {int(TRY * 1000)}; SET idle_in_transaction_session_timeout = 30000"
"""Of each session, in milliseconds. After the second one the server ends a transaction whose process was stopped, so
that it does not keep others waiting.
"""

NAMES_LOCK = 0x636F6F6C646F776E
TABLES_LOCK = NAMES_LOCK + 1
"""Numbers of advisory locks: any that no other program uses."""

OF_CONNECTION = re.compile(r"^(connection failed: )?(connection to server [^\n]*? failed: )?((FATAL|ERROR): +)?")
"""What psycopg and libpq say before they say what is wrong."""

LOCKED = ("55P03", "40P01", "40001")
LOST = ("57P01", "57P02", "57P03", "25P03", "53300")
"""SQLSTATE of errors after which the same may succeed: a lock that another program holds; a server that is stopped,
starting or has too many connections.
"""

EXPLANATIONS = {
    "42501": "does not allow this to its user ({text}): ask its owner for the right (docs/databases.md says which)",
    "42P01": "is damaged ({text}); `cooldown doctor` says what can be done",
    "42703": "is damaged ({text}); `cooldown doctor` says what can be done",
    "25006": "is read-only ({text})",
    "53100": "could not be written: the server's disk is full. What was written before is kept",
}

REFUSALS = (
    ("no password supplied", "needs a password: set PGPASSWORD, or write it to ~/.pgpass"),
    ("password authentication failed", "was refused: wrong password, or unknown user ({text})"),
    ("authentication failed", "was refused ({text})"),
    ("no pg_hba.conf entry", "was refused: the server does not accept this user from this machine ({text})"),
    ("permission denied for database", "was refused: its user may not connect to this database"),
    ("does not exist", "cannot be opened: {text}; an administrator can create it (docs/databases.md says how)"),
    ("invalid connection option", "cannot be opened: {text}"),
    ("invalid sslmode", "cannot be opened: {text}"),
    ("certificate", "cannot be opened: {text}"),
)
"""Of a connection that could not be made: only the text says why. All others may be made later."""


class PostgreSQL(Backend):
    """A schema of a database: the first one of the user's search path, as a rule `public`."""

    errors: ClassVar[tuple[type[Exception], ...]] = (DBAPIError, PoolTimeoutError)

    def __init__(self, address: str) -> None:
        self.where, self.file = shown(address), None
        url = postgresql_url(address)
        self._password = url.password or url.query.get("password")
        try:
            self.engine = shared_engine(url)
        except (ImportError, NoSuchModuleError):
            raise LedgerError(
                f"the ledger {self.where} is a PostgreSQL database, which needs psycopg: "
                "pip install 'cooldown[postgres]'"
            ) from None

    def look(self) -> tuple[set[str], Any] | None:
        """See `Backend`."""
        with self.reading() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
            if encoding != "UTF8":
                raise LedgerError(
                    f"the database {self.where} has the encoding {encoding}, and a ledger needs UTF8: "
                    "create one with ENCODING 'UTF8' TEMPLATE template0"
                )
            if connection.exec_driver_sql("SELECT current_schema()").scalar() is None:
                raise LedgerError(f"the database {self.where} has none of the schemas in its user's search_path")
            return self.contents(connection)

    def contents(self, connection: Connection) -> tuple[set[str], Any]:
        """See `Backend`."""
        relations = (
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f') "
            "AND relnamespace = current_schema()::regnamespace"
        )
        names = set(connection.exec_driver_sql(relations).scalars())
        return names, revision_of(names, connection.exec_driver_sql)

    def open(self, *, current: bool) -> None:
        """See `Backend`: nothing remains to be done."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """See `Backend`. A row that others have changed is read as it is once it is locked."""
        with self.engine.connect() as connection:
            connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """See `Backend`."""
        with self.writing() as connection:
            _lock(connection, TABLES_LOCK)
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """See `Backend`: the pool keeps connections."""
        yield

    def lock_names(self, connection: Connection) -> None:
        """See `Backend`."""
        _lock(connection, NAMES_LOCK)

    def now(self, connection: Connection) -> float:
        """See `Backend`."""
        return float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())

    def explained(self, error: Exception) -> LedgerError:
        """See `Backend`."""
        if not isinstance(error, DBAPIError):
            return UnavailableError(
                f"the ledger {self.where} is in use: {MOST_CONNECTIONS} connections of this process"
            )
        text = self._first_line(error.orig)
        state = getattr(error.orig, "sqlstate", None)
        if state in LOCKED:
            return UnavailableError(f"the ledger {self.where} is locked by another program")
        if error.connection_invalidated or state in LOST:
            return UnavailableError(f"the connection to the ledger {self.where} was lost: {text}")
        if state in EXPLANATIONS:
            return LedgerError(f"the ledger {self.where} {EXPLANATIONS[state].format(text=text)}")
        if state is None and error.statement is None:
            for phrase, explanation in REFUSALS:
                if phrase in str(error.orig):
                    return LedgerError(f"the ledger {self.where} {explanation.format(text=text)}")
            return UnavailableError(f"the ledger {self.where} cannot be reached: {text}")
        return LedgerError(f"the ledger {self.where} cannot be used: {text}")

    def _first_line(self, error: BaseException | None) -> str:
        """What the server or libpq says, in one line, without the password."""
        text = OF_CONNECTION.sub("", str(error).strip())
        line = text.splitlines()[0].strip() if text else type(error).__name__
        return line.replace(str(self._password), "…") if self._password else line


@cache
def shared_engine(url: URL) -> Engine:
    """The pool of connections to a database that all ledgers of this process share."""
    engine = create_engine(
        url,
        connect_args={name: value for name, value in CONNECTION.items() if name not in url.query},
        pool_size=KEPT_CONNECTIONS,
        max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
        pool_pre_ping=True,
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    """Settings of a new connection."""
    connection.execute(SETTINGS)
    connection.commit()


def _lock(connection: Connection, number: int) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")
