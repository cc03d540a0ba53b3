"""Whether a ledger's SQLite file is sound, and copies of it.

A finding says what is wrong and, where that is safe, carries its repair.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text

from cooldown.storage import read_only, sqlite, tables
from cooldown.storage.errors import LedgerError

MOST_MESSAGES = 5
"""Of SQLite's own check, which may have a hundred."""

OF_INDEX = ("from index", "in index")
"""What SQLite's check says of an index, which can be built again from its table."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong. experiment: whose, "" for the file's. fault: what, as a sentence without its full stop.
    remedy: what a repair does, "" where none is safe. repair: that, in a transaction.
    """

    experiment: str
    fault: str
    remedy: str = ""
    repair: Callable[[Connection], object] | None = field(default=None, compare=False)


def examine_file(path: Path) -> list[Finding]:
    """What SQLite finds wrong with the file itself, without changing a byte. Raises nothing for a damaged file."""
    try:
        with _opened(path) as connection:
            connection.text_factory = sqlite.text
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        said = [str(error)]
    if said == ["ok"]:
        return []
    # Its first line may only name the database.
    messages = [line for message in said for line in message.splitlines() if not line.startswith("*** in database")]
    more = f" and {len(messages) - MOST_MESSAGES} more" if len(messages) > MOST_MESSAGES else ""
    fault = f"SQLite's check of the file fails: {'; '.join(messages[:MOST_MESSAGES])}{more}"
    if all(any(part in message for part in OF_INDEX) for message in messages):
        return [Finding("", fault, "rebuild all indices", partial(_execute, "REINDEX"))]
    advice = "restore a copy of the file, or save what can be read with SQLite's own `sqlite3 FILE .recover`"
    return [Finding("", f"{fault}; {advice}")]


def _opened(path: Path) -> AbstractContextManager[sqlite3.Connection]:
    """A connection that changes nothing, in the file or what it holds."""
    if not read_only.is_writable(path):
        return read_only.opened(path)
    # Never as immutable: a run may begin while the file is examined.
    return closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))


def back_up(path: Path) -> Path:
    """Copy the ledger with what is in its log to a new file beside it, named by the time."""
    stem = f"{path}.{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(1, 1000):
        copy = Path(f"{stem}.backup" if number == 1 else f"{stem}-{number}.backup")
        with suppress(FileExistsError):
            copy.touch(exist_ok=False)
            break
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        copy.unlink()
        raise LedgerError(f"the ledger {path} cannot be copied, and is not repaired: {error}") from error
    return copy


def orphaned_rows(connection: Connection) -> Iterator[Finding]:
    """Rows that refer to others that do not exist, by table."""
    for (table, parent), rows in _orphaned(connection).items():
        what = f"{len(rows)} row{'s' if len(rows) > 1 else ''} of {table}"
        trials = "; they are parts of trials" if table in (tables.trials.name, tables.curves.name) else ""
        yield Finding(
            "",
            f"{what} belong to rows of {parent} that do not exist{trials}",
            f"remove {what}, which no command can show",
            _remove_orphans,
        )


def _orphaned(connection: Connection) -> dict[tuple[str, str], set[int]]:
    """The orphaned rows of a table, by the table and the one that lacks what they belong to."""
    found: dict[tuple[str, str], set[int]] = {}
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        found.setdefault((table, parent), set()).add(row)
    return found


def _remove_orphans(connection: Connection) -> None:
    """Remove orphaned rows, and those that belonged to them, until there are none."""
    quote = connection.dialect.identifier_preparer.quote
    while found := _orphaned(connection):
        for (table, _), rows in found.items():
            connection.exec_driver_sql(f"DELETE FROM {quote(table)} WHERE rowid IN ({', '.join(map(str, rows))})")


def _execute(statement: str, connection: Connection) -> None:
    connection.execute(text(statement))
