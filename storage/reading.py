"""Reading experiments: rows become records, and each row is checked first.

A row that cannot be read raises UnreadableError with the ledger, the experiment and the place in it: other experiments
stay readable. All rows are fetched before the first one is converted: otherwise an error that is kept would keep a
cursor open, and the SQLite file locked.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, select

from cooldown.objectives.records import Curve, Reference
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.storage import tables
from cooldown.storage.checking import check_row
from cooldown.storage.errors import UnreadableError
from cooldown.storage.lease import is_alive
from cooldown.storage.records import ExperimentRecord, Purpose, Status, StudyRecord, TrialRecord, WorkRecord
from cooldown.storage.rows import (
    check_experiment,
    curve_from,
    place_from,
    reference_from,
    study_from,
    terms_from,
    trial_from,
    work_from,
)

Record = TypeVar("Record")


def check(row: Any, where: str) -> None:
    """Raise UnreadableError unless the row of an experiment can be read."""
    _record(where, shown_name(row), tables.experiments, row, check_experiment, lambda _: "its row")


def shown_name(row: Any) -> str:
    """The name of an experiment's row as a message can show it, whatever is stored there."""
    return row.name.encode(errors="replace").decode() if isinstance(row.name, str) else f"number {row.id}"


def status_of(row: Any, now: float) -> Status:
    """The status of an experiment's row; one whose process has died is left. now: by the database's clock."""
    status = Status(row.status)
    if status is Status.RUNNING and not is_alive(row.holder, row.heartbeat_at, now):
        return status_when_left(row)
    return status


def status_when_left(row: Any) -> Status:
    """The status of an experiment that its process has left before the end: back in the queue if it is from there."""
    return status_without_worker(row) if row.queued_at is None else Status.QUEUED


def status_without_worker(row: Any) -> Status:
    """The status of an experiment that nobody runs, and that is not in the queue: its callers go on with it, or its
    user may.
    """
    return Status.OPEN if row.asked else Status.INTERRUPTED


def read_experiment(connection: Connection, row: Any, where: str, now: float) -> ExperimentRecord:
    """The experiment of a row that has been checked, with all its studies. now: by the database's clock."""
    studies = _studies(connection, row, where)
    searches = [study for study in studies if not study.is_default]
    newest = {(study.arm, study.repeat): study for study in sorted(searches, key=lambda study: study.attempt)}
    current = {study.id for study in newest.values()}
    return ExperimentRecord(
        row.id,
        row.name,
        row.spec,
        row.task_fingerprint,
        row.environment,
        status_of(row, now),
        row.message,
        row.created_at,
        row.finished_at,
        tuple(study for study in searches if study.id in current),
        tuple(row.extended_from or ()),
        tuple(study for study in studies if study.is_default),
        tuple(study for study in searches if study.id not in current),
        tuple(row.looks or ()),
        _references(connection, row, where),
        _work(connection, row, where),
        where,
        terms=terms_from(row),
        queue=place_from(row),
    )


def _studies(connection: Connection, row: Any, where: str) -> list[StudyRecord]:
    s, t, c = tables.studies, tables.trials, tables.curves
    query = select(s).where(s.c.experiment_id == row.id).order_by(s.c.id)
    of_study = {study.id: study for study in connection.execute(query)}
    ids = select(s.c.id).where(s.c.experiment_id == row.id)
    query = select(t).where(t.c.study_id.in_(ids)).order_by(t.c.study_id, t.c.number)
    of_trial = {trial.id: trial for trial in connection.execute(query)}

    def study_place(study: Any) -> str:
        return f"{study.arm}, repeat {study.repeat}"

    def trial_place(trial: Any) -> str:
        return f"{study_place(of_study[trial.study_id])}, trial {trial.number}"

    def curve_place(curve: Any) -> str:
        return f"{trial_place(of_trial[curve.trial_id])}, curve of seed {curve.seed}"

    record = partial(_record, where, row.name)
    curves: dict[int, dict[Purpose, list[Curve]]] = defaultdict(lambda: defaultdict(list))
    for curve in connection.execute(select(c).join(t).where(t.c.study_id.in_(ids)).order_by(c.c.id)).all():
        purpose, read = record(c, curve, curve_from, curve_place)
        curves[curve.trial_id][purpose].append(read)
    trials: dict[int, list[TrialRecord]] = defaultdict(list)
    for trial in of_trial.values():
        made = record(t, trial, lambda trial: trial_from(trial, curves[trial.id]), trial_place)
        trials[trial.study_id].append(made)
    return [
        record(s, study, lambda study: study_from(study, trials[study.id]), study_place) for study in of_study.values()
    ]


def _references(connection: Connection, row: Any, where: str) -> Mapping[int, tuple[Reference, ...]]:
    def place(reference: Any) -> str:
        return f"reference {reference.name} of repeat {reference.repeat}"

    f = tables.references
    references: dict[int, list[Reference]] = defaultdict(list)
    rows = connection.execute(select(f).where(f.c.experiment_id == row.id).order_by(f.c.repeat, f.c.id)).all()
    for reference in rows:
        references[reference.repeat].append(_record(where, row.name, f, reference, reference_from, place))
    return {repeat: tuple(of_repeat) for repeat, of_repeat in references.items()}


def _work(connection: Connection, row: Any, where: str) -> tuple[WorkRecord, ...]:
    w = tables.work
    rows = connection.execute(select(w).where(w.c.experiment_id == row.id).order_by(w.c.ended_at, w.c.id)).all()
    return tuple(
        _record(where, row.name, w, work, work_from, lambda work: f"number {work.id} of {w.name}") for work in rows
    )


def _record(
    where: str, experiment: str, table: Table, row: Any, make: Callable[[Any], Record], place: Callable[[Any], str]
) -> Record:
    """What `make` makes of a table's row. Raises UnreadableError with the ledger, the experiment and the row's place in
    it where it cannot be read.
    """
    try:
        check_row(table, row)
        return make(row)
    except UntrustedModuleError:
        raise
    except ValueError as error:
        raise UnreadableError(where, experiment, place(row), str(error)) from error
