"""The address of a ledger: the database URL, and its file."""

import os
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cooldown.storage.errors import LedgerError

DEFAULT_URL = "sqlite:///cooldown.db"


def database_url(db: str | None) -> str:
    """The ledger's address: `db`, else $COOLDOWN_DB, else sqlite:///cooldown.db."""
    return os.environ.get("COOLDOWN_DB") or DEFAULT_URL if db is None else db


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
        or parsed.query
        or not database
        or database.startswith((":memory:", "file:"))
        or "\0" in database
    ):
        shown = parsed.render_as_string(hide_password=True) if parsed and parsed.password else url
        raise LedgerError(
            f"--db {shown!r} is not the address of a ledger: use a SQLite file, such as "
            "sqlite:///cooldown.db or sqlite:////absolute/path/cooldown.db"
        )
    return Path(database)
