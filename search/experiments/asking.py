"""`runs`: an experiment whose runs are trained by the caller's own program, one after another."""

from collections.abc import Generator, Iterator
from contextlib import closing
from os import PathLike
from typing import Any, Unpack

from cooldown.objectives.data.own_loop import loop_task
from cooldown.objectives.errors import InputError
from cooldown.objectives.runs import Run
from cooldown.objectives.tasks import Kind
from cooldown.search.executors.contract import Executor
from cooldown.search.experiments.preparing import opened, prepared
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.running import Report, Runs, goes_on
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.settings import Asked, explicit
from cooldown.search.tuning.held import held
from cooldown.search.tuning.splits import Splits
from cooldown.storage import ExperimentRecord, Ledger, Status


@explicit(Asked)
def runs(
    name: str,
    X: Any = None,
    y: Any = None,
    *,
    n_samples: int | None = None,
    kind: Kind | None = None,
    labels: Any = None,
    uninformed_loss: float | None = None,
    db: str | PathLike[str] | None = None,
    report: Report = lambda _: None,
    **settings: Unpack[Asked],
) -> Iterator[Run]:
    """The runs that the experiment `name` needs, for a training loop that cannot be called.

    Each is to be trained and reported before the next is asked for: `for run in runs("mine", …)`. A run that reports
    nothing is an error; one that reports fewer than its epochs has stopped early. After the last one, `load(name)` has
    the answer.

    X, y, n_samples, kind, labels, uninformed_loss: as for `tasks.from_loop`. report: called with the progress after
    every step. An experiment with this name is continued, from any state: a job's runs are recorded together when the
    last of them is over, and those of an unfinished job are handed out again. With generation=1 a job is one trial.

    Raises InputError for invalid input, and for a pruner beside several seeds per trial, whose losses would have to be
    known at the same epoch; and, at the first run, LedgerError if another process runs the experiment.
    """
    task = loop_task("runs", None, X, y, name, n_samples, kind, labels, uninformed_loss)
    spec, splits = prepared(task, name, db, None, settings)
    if spec.pruner != "none" and spec.seeds > 1:
        raise InputError(
            f"runs(pruner={spec.pruner!r}, seeds={spec.seeds}): seeds that are trained one after another cannot be "
            "pruned together; use seeds=1, or tasks.from_loop for a loop that can be called"
        )
    ledger, record, spec, splits = opened(spec, splits, name, db)
    return _handed_out(ledger, splits, report, record, spec)


def _handed_out(
    ledger: Ledger, splits: Splits, report: Report, record: ExperimentRecord, spec: Experiment
) -> Iterator[Run]:
    """The runs up to the end of the spec, and then those of its plan, until the question is answered."""
    from cooldown.search.executors.handed_out import HandedOut

    if not goes_on(record, spec):
        return
    executor = HandedOut()
    # What its caller does wrong between two runs does not make the experiment a failed one.
    with closing(waiting(ledger, splits, executor, report, record, spec)) as steps:
        for _ in steps:
            yield from executor.runs()


def waiting(
    ledger: Ledger, splits: Splits, executor: Executor, report: Report, record: ExperimentRecord, spec: Experiment
) -> Generator[None, None, None]:
    """Run the experiment; yields when the executor has jobs that its caller is to do. Closing it interrupts the run."""
    from cooldown.search.experiments.plan import next_step
    from cooldown.search.tuning.runner import steps

    with held(ledger.hold(record.name)) as writer:
        experiment = Runs(ledger, writer, splits, executor, report)
        while True:
            if record.status is not Status.DONE:
                for _ in steps(writer, record, spec, splits, executor, report=report):
                    yield
                record = experiment.result().record
            goes_on = record.status is Status.DONE and record.queue.follows_plan
            larger = next_step(Result(record).view, spec) if goes_on else None
            if larger is None:
                return
            experiment.extend(record, spec, larger, planned_step=True)
            record, spec = ledger.load(record.name), larger
