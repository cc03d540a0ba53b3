"""Whether a ledger's file is sound, and what can safely be done where it is not.

A finding says what is wrong and, where that is safe, carries its repair. Nothing is repaired that would need a guess:
no trial is changed, and rows are removed only where what they belong to no longer exists.
"""

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Update, inspect, select, text, update

from cooldown.objectives.records import mean_final_loss
from cooldown.storage import read_only, sqlite, tables
from cooldown.storage.errors import LedgerError
from cooldown.storage.lease import holder_in_words, is_alive
from cooldown.storage.ledger import Ledger
from cooldown.storage.reading import shown_name
from cooldown.storage.records import ExperimentRecord, Purpose, Status

MOST_MESSAGES = 5
"""Of SQLite's own check, which may have a hundred."""

OF_INDEX = ("from index", "in index")
"""What SQLite's check says of an index, which can be built again from its table."""

RECREATED = (tables.references,)
"""Tables that a ledger can be used without; they come back empty."""


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


def examine(ledger: Ledger) -> list[Finding]:
    """What is wrong between the tables of a ledger whose file is sound: its own, and Optuna's."""
    with ledger._database.reading() as connection:
        schema = list(_schema(connection))
        if any(finding.repair is None for finding in schema):
            # Without a table, all that refers to it would look orphaned.
            return schema
        return [*schema, *_orphans(connection), *_leases(connection), *_optuna(connection)]


def contradictions(ledger: Ledger, record: ExperimentRecord) -> list[str]:
    """What contradicts itself in an experiment that can be read: losses that its curves do not give, and trials that
    are missing between others.
    """
    s, t, c = tables.studies, tables.trials, tables.curves
    ids = select(t.c.id).join(s, s.c.id == t.c.study_id).where(s.c.experiment_id == record.id)
    with ledger._database.reading() as connection:
        query = select(c.c.trial_id, c.c.purpose, c.c.seed, c.c.final_loss).where(c.c.trial_id.in_(ids))
        stored = {(row.trial_id, row.purpose, row.seed): row.final_loss for row in connection.execute(query)}
    said = []
    for study in (*record.studies, *record.default_configs, *record.superseded):
        place = f"{study.arm}, repeat {study.repeat}"
        missing = set(range(len(study.trials))) - {trial.number for trial in study.trials}
        said += [f"{place}: trial {number} is missing" for number in sorted(missing)]
        for trial in study.trials:
            if not _same(trial.validation_loss, mean_final_loss(trial.curves[Purpose.SEARCH])):
                said.append(f"{place}, trial {trial.number}: its validation loss is not the mean of its curves'")
            said += [
                f"{place}, trial {trial.number}, curve of seed {curve.seed}: its final loss is not that of its epochs"
                for purpose, curves in trial.curves.items()
                for curve in curves
                if not _same(stored.get((trial.id, purpose.value, curve.seed)), curve.final_loss)
            ]
    return said


def _same(stored: float | None, computed: float) -> bool:
    # An older version may have added in another order.
    return stored is not None and math.isclose(stored, computed, rel_tol=1e-12)


def repair(ledger: Ledger, path: Path, findings: Sequence[Finding]) -> Path | None:
    """Do what the findings' repairs say, all or nothing, after a copy of the file. Returns the copy's path, None if
    there was nothing to do.
    """
    repairs = [finding.repair for finding in findings if finding.repair is not None]
    if not repairs:
        return None
    copy = back_up(path)
    with ledger._database.writing() as connection:
        # Rows are removed in any order; when all is done, what remains refers to what exists.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for each in repairs:
            each(connection)
    return copy


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


def _schema(connection: Connection) -> Iterator[Finding]:
    """Tables, columns and indices that are missing."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    for table in tables.metadata.sorted_tables:
        if table.name not in present:
            if table in RECREATED:
                yield Finding("", f"its table {table.name} is missing", "create it, empty", table.create)
            else:
                yield Finding("", f"its table {table.name} is missing; restore a copy of the file")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                yield Finding("", f"its table {table.name} has no column {column.name}; restore a copy of the file")
        indices = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indices:
                yield Finding("", f"its index {index.name} is missing", "build it", index.create)


def _orphans(connection: Connection) -> Iterator[Finding]:
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


def _leases(connection: Connection) -> Iterator[Finding]:
    """Experiments that are held by a process that has ended."""
    e = tables.experiments
    for row in connection.execute(select(e)):
        held = row.holder is not None or row.status == Status.RUNNING.value
        if not held or is_alive(row.holder, row.heartbeat_at):
            continue
        holder = "a process" if row.holder is None else holder_in_words(row.holder)
        status = Status.INTERRUPTED.value if row.status == Status.RUNNING.value else row.status
        free = update(e).where(e.c.id == row.id).values(holder=None, holder_token=None, status=status)
        fault = f"it is held by {holder}, which has ended"
        yield Finding(shown_name(row), fault, "free it, to be resumed", _executing(free))


def _optuna(connection: Connection) -> Iterator[Finding]:
    """Where Optuna's tables differ from the ledger's trials."""
    from cooldown.storage import optuna_rows

    s, t, e = tables.studies, tables.trials, tables.experiments
    query = (
        select(e.c.id, e.c.name, s.c.arm, s.c.repeat, s.c.optuna_study_id, t.c.number, t.c.validation_loss)
        .join(s, s.c.experiment_id == e.c.id)
        .outerjoin(t, t.c.study_id == s.c.id)
        .order_by(s.c.id, t.c.number)
    )
    losses = optuna_rows.losses(connection)
    ours: set[int] = set()
    for row in connection.execute(query):
        ours.add(row.optuna_study_id)
        of_study, place = losses.get(row.optuna_study_id), f"{row.arm}, repeat {row.repeat}"
        if of_study is None:
            fault = f"{place}: its study is missing in Optuna's tables"
        elif row.number is not None and row.number not in of_study:
            fault = f"{place}: trial {row.number} is missing in Optuna's tables"
        elif row.number is not None and of_study[row.number] != row.validation_loss:
            fault = f"{place}: trial {row.number} has another loss in Optuna's tables, {of_study[row.number]!r:.40}"
        else:
            continue
        yield Finding(shown_name(row), fault)
    for study_id, name in optuna_rows.made_here(connection).items():
        if study_id not in ours:
            yield Finding(
                "",
                f"the study {name!r} in Optuna's tables, with {len(losses[study_id])} trials, belongs to no experiment",
                "remove it from Optuna's tables",
                partial(optuna_rows.delete_studies, study_ids=[study_id]),
            )


def _execute(statement: str, connection: Connection) -> None:
    connection.execute(text(statement))


def _executing(statement: Update) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(statement)
