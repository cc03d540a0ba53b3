"""The address of a ledger: the database URL, and its file."""

import os
import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from cooldown.storage.errors import LedgerError

DEFAULT_URL = "sqlite:///cooldown.db"
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:|:memory:", re.IGNORECASE)
"""How an address begins that is no path; a single letter is a drive of Windows."""


def database_url(db: str | os.PathLike[str] | None) -> str:
    """The ledger's address as a URL: `db`, else $COOLDOWN_DB, else sqlite:///cooldown.db.

    Each may be the path of a file: a text with a suffix or a folder, or any Path. Other texts stay as they are.
    """
    address = os.environ.get("COOLDOWN_DB") or DEFAULT_URL if db is None else os.fspath(db)
    path = Path(address)
    named = not SCHEME.match(address) and (bool(path.suffix) or path.name != address)
    if not named and not isinstance(db, os.PathLike):
        return address
    return URL.create("sqlite", database=address).render_as_string()


def sqlite_path(url: str) -> Path:
    """The file of a database URL; raises LedgerError for an address that cannot be a ledger's."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    database = parsed.database if parsed else None
    if (
        parsed is None
        or parsed.drivername not in ("sqlite", "sqlite+pysqlite")
        or parsed.host
        or "?" in url
        or not database
        or database.startswith((":memory:", "file:"))
        or "\0" in database
    ):
        shown = parsed.render_as_string(hide_password=True) if parsed and parsed.password else url
        raise LedgerError(
            f"--db {shown!r} is not the address of a ledger: use a SQLite file, such as "
            "cooldown.db, sqlite:///cooldown.db or sqlite:////absolute/path/cooldown.db"
        )
    return Path(database)
