"""The address of a ledger: a database URL or the path of a file; its file, or its place on a PostgreSQL server."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from cooldown.storage.errors import LedgerError

DEFAULT_URL = "sqlite:///cooldown.db"
SCHEME = "postgresql+psycopg"
EXAMPLE = f"{SCHEME}://ada@db.example.org/cooldown"
LONGEST = 4_000
"""Characters of an address; no system opens a longer path."""


class Unnamed(str):
    """An address that no printed command need name, as that of a copy of what is elsewhere."""


def database_url(db: str | os.PathLike[str] | None) -> str:
    """The ledger's address: `db`, else $COOLDOWN_DB, else sqlite:///cooldown.db; a path stays one.

    A text is a path if it has a suffix or a folder, any Path always is.
    """
    if db is None:
        return os.environ.get("COOLDOWN_DB") or DEFAULT_URL
    address = os.fspath(db)
    return address if isinstance(db, str) or _is_path(address) else f"sqlite:///{quote(address)}"


def _is_path(address: str) -> bool:
    """Whether a text without a scheme is the path of a file, and not any other word."""
    return bool({os.sep, "/"} & {*address} or Path(address).suffix)


def sqlite_path(address: str) -> Path:
    """The file of a ledger's address; raises LedgerError for one that cannot be a ledger's.

    address: `sqlite:///` and a path, in which `%3F` means `?`; or a path as it is, with a folder or a suffix, so that
    no other word becomes a file by accident. A `?` in a URL is refused: behind it are options, which a ledger has not.
    """
    url = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", address)
    if url is None:
        path = address if _is_path(address) else ""
    else:
        known = re.fullmatch(r"sqlite(\+pysqlite)?:///([^?]+)", address, re.DOTALL)
        path = unquote(known[2]) if known else ""
    if not path or path.startswith((":memory:", "file:")) or "\0" in path or len(path) > LONGEST:
        raise LedgerError(
            f"--db {_without_password(address)!r:.200} is not the address of a ledger: use a SQLite file, such as "
            "sqlite:///cooldown.db, sqlite:////absolute/path/cooldown.db or runs/cooldown.db, or a PostgreSQL "
            f"database, such as {EXAMPLE}"
        )
    return Path(path)


def is_postgresql(address: str) -> bool:
    """Whether an address has the scheme of a PostgreSQL database."""
    return re.match(r"postgres(ql)?(\+[a-z0-9]+)?:", address) is not None


def postgresql_url(address: str) -> URL:
    """The parts of a PostgreSQL database's address; raises LedgerError for one that cannot be a ledger's."""
    try:
        url = make_url(address) if len(address) <= LONGEST and "\0" not in address else None
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername != SCHEME or not url.database:
        raise LedgerError(
            f"--db {_without_password(address)!r:.200} is not the address of a ledger: a PostgreSQL database is given "
            f"as {SCHEME}://USER@HOST:PORT/DATABASE, such as {EXAMPLE}"
        )
    return url


def shown(address: str) -> str:
    """An address as it can be shown: without a password, with which the rest of it still names the ledger."""
    if not is_postgresql(address):
        return address
    url = postgresql_url(address)
    secret = [option for option in url.query if "password" in option]
    return url._replace(password=None).difference_update_query(secret).render_as_string(hide_password=False)


def elsewhere(address: str) -> str | None:
    """The address as a command has to name it, without a password: None for the one that is meant without a name, and
    for what is no ledger's address.
    """
    if address == DEFAULT_URL or isinstance(address, Unnamed):
        return None
    try:
        if not is_postgresql(address):
            sqlite_path(address)
        return shown(address)
    except LedgerError:
        return None


def _without_password(address: str) -> str:
    """A text that may be meant as an address, without what may be a password in it."""
    hidden = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:…@", address)
    return re.sub(r"(password=)[^&]*", r"\1…", hidden)
