"""Experiments whose runs callers ask for, and tell of: for training loops of their own, wherever these are.

Nothing but the ledger knows where such an experiment stands. Whoever asks is given a run that nobody trains; what is
told is kept at once; and when all runs of a job are told, the job is recorded as any other.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from os import PathLike
from typing import Any, NamedTuple

from cooldown.objectives.data.own_loop import loop_task
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.executors.told import Told, replayed, run_of
from cooldown.search.experiments.asking import waiting
from cooldown.search.experiments.preparing import created, find, prepared
from cooldown.search.experiments.queueing import Submitted
from cooldown.search.experiments.terms import agreed
from cooldown.search.spec.recorded import spec_of, spec_of_record
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Ledger, LedgerError, Purpose, Status
from cooldown.storage.address import database_url
from cooldown.storage.asked_runs import AskedRun, Report, add_runs, hand_out, is_told, loop_of, runs_of, tell_run
from cooldown.storage.loops import Loop
from cooldown.storage.submissions import Submission
from cooldown.storage.terms import USUAL

AGAIN = 3600.0
"""Seconds after which a run of which nothing was told is handed out again."""

MOST_SAMPLES = 10**6
"""Rows whose indices are handed out."""


@dataclass(frozen=True)
class Asked:
    """A run to train. id: its name. purpose: search, finalist or evaluation. config: as `TrainConfig.to_json` has it.
    epochs: after each of which it reports. learning_rates: (epochs,) the mean rate of each epoch's updates. train,
    held_out: the indices of the rows to train on, and to measure on.
    """

    id: str
    purpose: str
    repeat: int
    seed: int
    epochs: int
    config: Mapping[str, Any]
    learning_rates: Sequence[float]
    train: Sequence[int]
    held_out: Sequence[int]


def offer(
    task: str,
    loop: Loop,
    *,
    name: str | None = None,
    owner: str | None = None,
    tags: Sequence[str] | None = None,
    notes: str | None = None,
    submission: Submission | None = None,
    db: str | PathLike[str] | None = None,
    **settings: Any,
) -> Submitted:
    """Create an experiment whose callers train its runs. task: what they call it. loop: what it is on. All else as for
    `submit`. Raises InputError for what cannot be run, and for a pruner, which would have to see each epoch.
    """
    made, ledger = _task(task, loop), Ledger(database_url(db))
    terms = agreed(owner=owner, tags=tags, notes=notes)
    spec, splits = prepared(made, name, db, 1, settings)
    if spec.pruner != "none":
        raise InputError(f"pruner: should be none, got {spec.pruner!r}: callers report a run only when it is over")
    record = find(ledger, spec, splits.task.fingerprint(), name, owner)
    if record is not None:
        return Submitted(record.name, record.status, False)
    new = created(ledger, spec, splits.task, name, terms(USUAL), submission=submission, loop=loop)
    return Submitted(new, Status.OPEN, True)


def ask(name: str, *, db: str | PathLike[str] | None = None, again_after: float = AGAIN) -> Asked | None:
    """A run of the experiment `name` that nobody trains; None if there is none, because all are being trained, or the
    experiment is done, paused or ended. again_after: seconds after which one of which nothing was told is handed out
    again.

    Raises InputError for an experiment that is not trained by its callers, and LedgerError for an unknown one.
    """
    ledger = Ledger(database_url(db), create=False)
    asked = _experiment(ledger, name)
    if not asked.status.under_way:
        return None
    given = hand_out(ledger, name, again_after)
    if given is None:
        _advance(ledger, name, asked.splits.task)
        given = hand_out(ledger, name, again_after)
    return None if given is None else _asked(asked.splits, given)


def tell(name: str, id: str, reports: Sequence[Report], *, db: str | PathLike[str] | None = None) -> Status:
    """Record what a run reports, one table for each of its epochs in their order: `train_loss`, `held_out_loss` and, if
    it has one, `score`; None for a loss that is not finite, with which a run has diverged. Fewer epochs: it stopped.

    Returns the status of the experiment. The same may be told again. Raises InputError for reports that cannot be, and
    LedgerError for a run that was not asked for, or that was reported with other values.
    """
    ledger = Ledger(database_url(db), create=False)
    splits = _experiment(ledger, name).splits
    run = runs_of(ledger, name, {id}).get(id)
    if run is None:
        raise LedgerError(f"the experiment {name!r} has no run {id!r:.80}: report only runs that were asked for")
    replayed(_problem(splits, run), run.replicate, reports)
    if not tell_run(ledger, name, id, reports):
        raise LedgerError(f"the run {id!r} of {name!r} was reported before, with other values, which are kept")
    if is_told(ledger, name, run.job):
        _advance(ledger, name, splits.task)
    return ledger.summary(name).status


def _advance(ledger: Ledger, name: str, task: Task) -> None:
    """Record all jobs whose runs are told, and add the runs of those that come next, while the experiment is open."""
    record = ledger.load(name)
    if not record.status.under_way:
        return
    spec = spec_of_record(record)
    executor = Told(partial(runs_of, ledger, name))
    with closing(waiting(ledger, Splits(task, spec), executor, lambda _: None, record, spec)) as steps:
        for _ in steps:
            if not executor.goes_on():
                break
    add_runs(ledger, name, executor.waiting)


def _asked(splits: Splits, given: AskedRun) -> Asked:
    run = run_of(_problem(splits, given), given.replicate)
    return Asked(
        given.run,
        given.replicate["purpose"],
        given.replicate["repeat"],
        run.seed,
        run.epochs,
        given.replicate["config"],
        run.learning_rates.tolist(),
        run.rows("train").tolist(),
        run.rows("held_out").tolist(),
    )


def _problem(splits: Splits, run: AskedRun) -> Any:
    """The problem of a run: that of its seed, in its repeat."""
    purpose, repeat = Purpose(run.replicate["purpose"]), run.replicate["repeat"]
    place = splits.seeds(purpose, repeat).index(run.replicate["seed"])
    return splits.problems(purpose, repeat)[place]


def _task(name: str, loop: Loop) -> Task:
    if not isinstance(loop.n_samples, int) or loop.n_samples > MOST_SAMPLES:
        raise InputError(f"loop: n_samples should be at most {MOST_SAMPLES:,}, got {loop.n_samples!r:.80}")
    return loop_task("loop", None, None, None, name, loop.n_samples, loop.kind, None, loop.uninformed_loss)


class _Experiment(NamedTuple):
    """An experiment that its callers train, where its studies do not matter."""

    status: Status
    splits: Splits


def _experiment(ledger: Ledger, name: str) -> _Experiment:
    loop = loop_of(ledger, name)
    if loop is None:
        raise InputError(f"{name!r} is not trained by its callers: workers and `cooldown resume` run it")
    summary = ledger.summary(name)
    return _Experiment(summary.status, Splits(_task(str(summary.spec["task"]), loop), spec_of(summary)))
