"""The address of a ledger: a database URL or the path of a file, and its file."""

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from cooldown.storage.errors import LedgerError

DEFAULT_URL = "sqlite:///cooldown.db"
LONGEST = 4_000
"""Characters of an address; no system opens a longer path."""


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
        shown = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:…@", address)
        raise LedgerError(
            f"--db {shown!r:.200} is not the address of a ledger: use a SQLite file, such as "
            "sqlite:///cooldown.db, sqlite:////absolute/path/cooldown.db or runs/cooldown.db"
        )
    return Path(path)


def elsewhere(address: str) -> str | None:
    """The address as a command has to name it: None for the one that is meant without a name, and for what is no
    ledger's address, which may contain a password.
    """
    try:
        sqlite_path(address)
    except LedgerError:
        return None
    return None if address == DEFAULT_URL else address
