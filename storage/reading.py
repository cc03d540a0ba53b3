"""Reading experiments: rows become records, and each row is checked first.

A row that cannot be read raises UnreadableError with the ledger, the experiment and the place in it: other experiments
stay readable.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, select

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


def check(row: Any, where: str) -> None:
    """Raise UnreadableError unless the row of an experiment can be read."""
    with _naming(where, shown_name(row), "its row"):
        check_row(tables.experiments, row)
        check_experiment(row)


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

    def place(trial_id: int) -> str:
        trial = of_trial[trial_id]
        study = of_study[trial.study_id]
        return f"{study.arm}, repeat {study.repeat}, trial {trial.number}"

    curves: dict[int, dict[Purpose, list[Curve]]] = defaultdict(lambda: defaultdict(list))
    query = select(c).join(t).where(t.c.study_id.in_(ids)).order_by(c.c.id)
    for curve in connection.execute(query):
        with _naming(where, row.name, f"{place(curve.trial_id)}, curve of seed {curve.seed}"):
            check_row(c, curve)
            purpose, read = curve_from(curve)
            curves[curve.trial_id][purpose].append(read)
    trials: dict[int, list[TrialRecord]] = defaultdict(list)
    for trial in of_trial.values():
        with _naming(where, row.name, place(trial.id)):
            check_row(t, trial)
            trials[trial.study_id].append(trial_from(trial, curves[trial.id]))
    studies = []
    for study in of_study.values():
        with _naming(where, row.name, f"{study.arm}, repeat {study.repeat}"):
            check_row(s, study)
            studies.append(study_from(study, trials[study.id]))
    return studies


def _references(connection: Connection, row: Any, where: str) -> Mapping[int, tuple[Reference, ...]]:
    f = tables.references
    references: dict[int, list[Reference]] = defaultdict(list)
    query = select(f).where(f.c.experiment_id == row.id).order_by(f.c.repeat, f.c.id)
    for reference in connection.execute(query):
        with _naming(where, row.name, f"reference {reference.name} of repeat {reference.repeat}"):
            check_row(f, reference)
            references[reference.repeat].append(reference_from(reference))
    return {repeat: tuple(of_repeat) for repeat, of_repeat in references.items()}


def _work(connection: Connection, row: Any, where: str) -> tuple[WorkRecord, ...]:
    w = tables.work
    records = []
    for work in connection.execute(select(w).where(w.c.experiment_id == row.id).order_by(w.c.ended_at, w.c.id)):
        with _naming(where, row.name, f"number {work.id} of {w.name}"):
            check_row(w, work)
            records.append(work_from(work))
    return tuple(records)


@contextmanager
def _naming(where: str, experiment: str, place: str) -> Iterator[None]:
    """Add ledger, experiment and place to what is wrong with a row."""
    try:
        yield
    except UntrustedModuleError:
        raise
    except ValueError as error:
        raise UnreadableError(where, experiment, place, str(error)) from error
