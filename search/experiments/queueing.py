"""Experiments for workers: put in the queue of a ledger, and changed there or while they run."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Unpack

from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task, is_frame
from cooldown.objectives.trust import reading
from cooldown.search.evidence.commands import AGAIN
from cooldown.search.experiments.keeping import kept_in
from cooldown.search.experiments.preparing import created, find, prepared
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.resuming import requested, to_widen
from cooldown.search.experiments.running import goes_on, history
from cooldown.search.experiments.service import OnTask
from cooldown.search.experiments.terms import agreed
from cooldown.search.spec.recorded import continued_by_name, resumable, spec_of_record
from cooldown.search.spec.settings import Settings, explicit
from cooldown.search.tuning.studies import planned
from cooldown.storage import Change, Ledger, Queue, Status, Summary
from cooldown.storage.address import database_url
from cooldown.storage.listing import IN_QUEUE
from cooldown.storage.queue import Edited
from cooldown.storage.studies import Extension
from cooldown.storage.submissions import Submission
from cooldown.storage.terms import USUAL

IN_ORDER = {status: place for place, status in enumerate(IN_QUEUE)}
"""What a list of the queue shows first."""


@dataclass(frozen=True)
class Submitted:
    """What became of a submission. new: whether it is a new experiment. status: `queued`; or `running` or `done`, where
    there is one with the same spec.
    """

    name: str
    status: Status
    new: bool


@explicit(Settings)
def submit(
    task: Any,
    *,
    name: str | None = None,
    db: str | PathLike[str] | None = None,
    priority: int | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    owner: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    submission: Submission | None = None,
    on_task: OnTask = lambda _: None,
    **settings: Unpack[Settings],
) -> Submitted:
    """Like `compare`, but queue the experiment in the ledger, for `cooldown worker` to run.

    task: as for `compare`, but one that a worker can load by its name: no DataFrame, and no object of this program. A
    table, and one of test rows, is kept in the ledger, where workers on all machines find it.
    priority: higher first, by default 0; equal ones in the order in which they came. time_limit,
    max_gradient_evaluations: as in `compare`. owner, tags, notes: text to find it by. submission: an idempotency key;
    if it comes again, it makes no second experiment.

    As with `compare`, an experiment with the same name, or without a name one with the same spec, is continued: it is
    put in the queue, unless it is there or done already. With an owner, that is one of the same owner.

    Raises InputError as `compare` does, before anything is written.
    """
    if isinstance(task, Task) or is_frame(task):
        raise InputError(
            "submit: a worker cannot load an object of this program; save the data to a CSV or Parquet file and submit "
            "its path, or name a task in a module as 'module:attribute'; `compare` runs it here"
        )
    terms = agreed(
        priority=priority,
        time_limit=time_limit,
        max_gradient_evaluations=max_gradient_evaluations,
        owner=owner,
        tags=tags,
        notes=notes,
    )
    spec, splits = prepared(fspath(task) if isinstance(task, PathLike) else task, name, db, None, settings)
    if not resumable(spec.to_json()):
        raise InputError(f"submit: a worker cannot load {spec.task!r} by its name; `compare` runs it here")
    on_task(splits.task)
    ledger = Ledger(database_url(db))
    spec = kept_in(ledger, spec, owner or "")
    record = find(ledger, spec, splits.task.fingerprint(), name, owner)
    if record is None:
        return Submitted(
            created(ledger, spec, splits.task, name, terms(USUAL), queued=True, submission=submission),
            Status.QUEUED,
            True,
        )
    if not goes_on(record, spec_of_record(record)):
        return Submitted(record.name, record.status, False)
    return Submitted(record.name, Queue(ledger).put(record.name, terms), False)


def requeue(
    name: str,
    *,
    trials: int | None = None,
    repeats: int | None = None,
    extend: bool = False,
    until_decided: bool = False,
    max_repeats: int | None = None,
    priority: int | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    db: str | PathLike[str] | None = None,
    trust: bool = False,
) -> Status:
    """Put the experiment `name` in the queue to be continued; where it waits or runs already, withdraw what it was
    asked for. Arguments as for `resume` and `submit`, but only an experiment that is done can be extended here.

    Returns its status: `queued`, `open` where its callers train it, `running`, or `done` if there is nothing left to
    do. Raises InputError as `resume` does.
    """
    terms = agreed(priority=priority, time_limit=time_limit, max_gradient_evaluations=max_gradient_evaluations)
    ledger = Ledger(database_url(db), create=False)
    with reading(trust):
        record = ledger.load(name)
        before = spec_of_record(record)
    if not continued_by_name(record):
        raise InputError(f"{name!r}: a worker cannot load {before.task!r} by its name; to continue it, {AGAIN}")
    asked = requested(record, before, trials, repeats, extend, until_decided, max_repeats)
    if asked is None:
        return record.status
    spec, going_on = asked.spec, before.model_copy(update={"until": asked.spec.until})
    if (extend or spec != going_on) and record.status is not Status.DONE:
        raise InputError(f"{record.name!r} is {record.status.value}: it can be extended when it is done")
    if extend and spec != going_on:
        raise InputError(f"{record.name!r}: more trials or repeats first, wider ranges when these are done")
    if extend:
        spec = to_widen(Result(record), spec)
    larger = Extension(spec.to_json(), planned(spec), history(record, going_on, spec)) if spec != before else None
    return Queue(ledger).put(record.name, terms, follows_plan=asked.plan, extension=larger)


def pause(name: str, *, db: str | PathLike[str] | None = None) -> Status:
    """Pause an experiment: a running one when what is in flight is finished. `resume` or `requeue` continues it.

    Returns its status, which is still `running` for a running one. Raises LedgerError where there is nothing to pause.
    """
    return _request(name, Change.PAUSE, db)


def stop(name: str, *, db: str | PathLike[str] | None = None) -> Status:
    """End an experiment when what is in flight is finished, and keep that. As `pause` otherwise."""
    return _request(name, Change.STOP, db)


def cancel(name: str, *, db: str | PathLike[str] | None = None) -> Status:
    """End an experiment, and drop what is in flight; finished work is kept. As `pause` otherwise."""
    return _request(name, Change.CANCEL, db)


def prioritize(name: str, priority: int, *, db: str | PathLike[str] | None = None) -> None:
    """Give the experiment `name` another priority in the queue, from -1,000 to 1,000: higher first. It keeps its status
    and the time since when it waits. Raises InputError for what is no priority, LedgerError for an unknown name.
    """
    Queue(Ledger(database_url(db), create=False)).edit(name, agreed(priority=priority))


def annotate(
    name: str,
    *,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    versions: Collection[str] | None = None,
    db: str | PathLike[str] | None = None,
) -> Edited:
    """Give the experiment `name` other tags or notes; None leaves them as they are. Raises InputError for what is none,
    and LedgerError for an unknown name.

    versions: of `storage.changes.state`; where it has another one, ChangedError is raised and nothing changed.
    """
    if tags is None and notes is None:
        raise InputError("annotate: give tags or notes")
    return Queue(Ledger(database_url(db), create=False)).edit(name, agreed(tags=tags, notes=notes), versions)


def is_submitted(name: str, *, db: str | PathLike[str] | None = None) -> bool:
    """Whether the experiment `name` is run by workers, or by callers who ask for its runs, whatever its status; raises
    LedgerError for an unknown name.
    """
    queue = summary(name, db=db).queue
    return queue.since is not None or queue.asked


def summary(name: str, *, db: str | PathLike[str] | None = None) -> Summary:
    """The experiment `name` without its results; raises LedgerError for an unknown name."""
    return Ledger(database_url(db), create=False).summary(name)


def queued(db: str | PathLike[str] | None = None) -> list[Summary]:
    """The experiments that run, those that are open to their callers, those that wait in the order in which they will
    be taken, and those that are paused.
    """
    from cooldown.search.experiments.service import summaries

    return in_order(summaries(db))


def in_order(listed: Sequence[Summary]) -> list[Summary]:
    """Those of these experiments, newest first, that are in the queue, in the order of `queued`."""

    def place(summary: Summary) -> tuple[int, int, float]:
        return IN_ORDER[summary.status], -summary.terms.priority, summary.queue.since or summary.created_at

    # Equal ones by age.
    return sorted((each for each in reversed(listed) if each.status in IN_ORDER), key=place)


def _request(name: str, change: Change, db: str | PathLike[str] | None) -> Status:
    return Queue(Ledger(database_url(db), create=False)).request(name, change)
