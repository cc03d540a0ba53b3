"""A copy of a ledger's file, made while programs write to it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from cooldown.objectives.errors import InputError
from cooldown.storage.errors import LedgerError
from cooldown.storage.ledger import Ledger


def back_up(ledger: Ledger, path: Path) -> None:
    """Copy a ledger, in one state of it, to the file `path`, which is there only when the copy is complete.

    Raises InputError for a ledger on a server, which has tools of its own, and LedgerError if the copy cannot be made;
    a file that was at `path` stays then.
    """
    if ledger.file is None:
        raise InputError(
            f"{ledger.where} is on a PostgreSQL server: copy it with pg_dump, or its experiments into a file with "
            "`cooldown migrate --from URL --to backup.db`"
        )
    if path.exists() and path.samefile(ledger.file):
        raise InputError(f"{str(path)!r} is the ledger itself: give another file")
    try:
        with NamedTemporaryFile(dir=path.resolve().parent, prefix=".", suffix=".part", delete=False) as file:
            part = Path(file.name)
        try:
            with closing(sqlite3.connect(ledger.file)) as source, closing(sqlite3.connect(part)) as target:
                source.backup(target)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise LedgerError(f"the ledger {ledger.where} cannot be copied to {str(path)!r}: {reason}") from error
    with os.fdopen(os.open(path, os.O_RDONLY)) as copied:
        os.fsync(copied.fileno())
