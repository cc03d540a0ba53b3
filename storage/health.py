"""Whether a ledger's tables are sound, and what can safely be done where they are not.

Nothing is repaired that would need a guess: no trial is changed, and rows are removed only where what they belong to no
longer exists.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Update, inspect, select, update

from cooldown.objectives.records import mean_final_loss
from cooldown.storage import tables
from cooldown.storage.file_health import Finding, back_up, orphaned_rows
from cooldown.storage.lease import holder_in_words, is_alive
from cooldown.storage.ledger import Ledger
from cooldown.storage.reading import shown_name, status_when_left
from cooldown.storage.records import ExperimentRecord, Purpose, Status

RECREATED = (tables.references, tables.work)
"""Tables that a ledger can be used without; they come back empty."""


def examine(ledger: Ledger) -> list[Finding]:
    """What is wrong between the tables of a ledger, whose file, if it has one, is sound: its own, and Optuna's."""
    with ledger._database.reading() as connection:
        schema = list(_schema(connection))
        if any(finding.repair is None for finding in schema):
            # Without a table, all that refers to it would look orphaned.
            return schema
        now = ledger._database.now(connection)
        # A server lets no row refer to one that does not exist.
        orphans = () if ledger.file is None else orphaned_rows(connection)
        return [*schema, *orphans, *_leases(connection, now), *_optuna(connection)]


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


def repair(ledger: Ledger, findings: Sequence[Finding]) -> Path | None:
    """Do what the findings' repairs say, all or nothing. Of a file, a copy is made before that: returns its path, None
    if there was nothing to do, or no file.
    """
    repairs = [finding.repair for finding in findings if finding.repair is not None]
    if not repairs:
        return None
    copy = None if ledger.file is None else back_up(ledger.file)

    def work(connection: Connection) -> None:
        if ledger.file is not None:
            # Rows are removed in any order; when all is done, what remains refers to what exists.
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for each in repairs:
            each(connection)

    ledger._database.write(work)
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
                yield Finding("", f"its table {table.name} is missing; restore a copy of the ledger")
            continue
        columns = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                yield Finding("", f"its table {table.name} has no column {column.name}; restore a copy of the ledger")
        indices = {index["name"] for index in inspector.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indices:
                yield Finding("", f"its index {index.name} is missing", "build it", index.create)


def _leases(connection: Connection, now: float) -> Iterator[Finding]:
    """Experiments that are held by a process that has ended."""
    e = tables.experiments
    for row in connection.execute(select(e)):
        held = row.holder is not None or row.status == Status.RUNNING.value
        if not held or is_alive(row.holder, row.heartbeat_at, now):
            continue
        holder = "a process" if row.holder is None else holder_in_words(row.holder)
        status = status_when_left(row).value if row.status == Status.RUNNING.value else row.status
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


def _executing(statement: Update) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(statement)
