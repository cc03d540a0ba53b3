"""The functions of the service: compare, tune, load. The command line only calls these and prints the results.

Comparing again with the same spec continues where it stopped: comparing and resuming are the same operation.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import TYPE_CHECKING, Any, Unpack

from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.objectives.trust import reading
from cooldown.search.executors.opening import open_executor
from cooldown.search.experiments.notebook import interruptible, reporting
from cooldown.search.experiments.preparing import asked, find, opened, prepared, split
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.running import Report, Runs, goes_on, worker_count
from cooldown.search.experiments.terms import agreed
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.recorded import with_studies
from cooldown.search.spec.settings import OneArm, Settings, explicit
from cooldown.search.tuning.held import held
from cooldown.storage import Ledger, NoLedgerError, Summary, UnreadableError, Winner
from cooldown.storage.address import database_url

if TYPE_CHECKING:
    from cooldown.search.tuning.dry_run import Estimate

OnTask = Callable[[Task], None]

TIMED_REPEATS = 4
"""Repeats of a calibration that is to show how much losses vary."""

ONE_ARM = "tune searches one joint arm"


@explicit(Settings)
def compare(
    task: Any,
    *,
    name: str | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    report: Report | None = None,
    on_task: OnTask = lambda _: None,
    **settings: Unpack[Settings],
) -> Result:
    """Tune every arm on `task` under equal budgets, and report which is better.

    task: a built-in name, a path to a CSV or Parquet file or a DataFrame (with `target`, `test` for the test rows of
    all repeats, and `groups` or `time` to split by a column), `openml:NAME`, `module:attribute`, or a
    Task. name: the experiment's name; by default that of the task. db: the ledger's file, or its database URL. workers:
    processes, by default one per core. executor: where training runs: "inline" (in this process, the default for one
    worker), "local" (processes of this machine, the default for more), "dask" (a Dask cluster of this machine), or
    the address of a Dask scheduler such as "tcp://192.0.2.7:8786". time_limit: how long it may run, in seconds or as
    "2h", all its runs together; max_gradient_evaluations: how much it may train. When a limit is reached, nothing more
    is begun, and it is stopped; `resume` continues it under a larger one, or "none". report: called with the progress
    after every step; by default a notebook shows it, and a script nothing. on_task: called with the task before
    anything is trained, for example to show how its table was read.

    With neither repeats nor until_decided, the experiment is looked at after 5, 10, 20 and 40 repeats, as far as a
    budget in gradient evaluations goes, and ends as soon as its question is answered; with repeats=N it has N repeats.
    Where best values lie at the edge of a range, the range is widened first and the arm searched again.
    With until_decided=True there is no budget, and it goes on up to max_repeats, by default 20; repeats is then its
    first look. An experiment with the same name, or without a name one with the same spec, is continued. One that was
    paused, stopped or cancelled meanwhile is returned as it is then; see its status.
    Raises InputError for invalid input, before anything is written, and Interrupted, a KeyboardInterrupt, that says how
    to continue.
    """
    wanted = asked(task, name, db, workers, settings, executor)
    terms = agreed(time_limit=time_limit, max_gradient_evaluations=max_gradient_evaluations)
    # Workers start while the rows are read and split.
    with open_executor(executor, worker_count(wanted.spec, workers)) as opened_executor:
        spec, splits = split(wanted, workers)
        on_task(splits.task)
        ledger, record, spec, splits = opened(spec, splits, name, db, terms)
        if goes_on(record, spec):
            with interruptible(record.name, db), reporting(report) as told, held(ledger.hold(record.name, terms)) as w:
                Runs(ledger, w, splits, opened_executor, told).to_end(record, spec)
            record = ledger.load(record.name)
    return Result(record, None if isinstance(task, str | PathLike) else splits.task)


@explicit(Settings)
def dry_run(
    task: Any,
    *,
    name: str | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    on_task: OnTask = lambda _: None,
    **settings: Unpack[Settings],
) -> "Estimate":
    """Estimate time and cost of `compare` with the same arguments, from a short calibration run; no ledger is changed.

    Raises InputError as `compare` does.
    """
    from cooldown.search.tuning.dry_run import estimate

    wanted = asked(task, name, db, workers, settings, executor)
    with open_executor(executor, worker_count(wanted.spec, workers)) as opened_executor:
        spec, splits = split(wanted, workers)
        on_task(splits.task)
        with suppress(NoLedgerError):
            # Raises if the name is taken.
            find(Ledger(database_url(db), create=False), spec, splits.task.fingerprint(), name)
        return estimate(spec, splits, opened_executor)


def dry_runs(
    task: Any, choices: Sequence[Mapping[str, Any]], *, db: str | PathLike[str] | None = None, **settings: Any
) -> "list[Estimate]":
    """Estimate time and cost of `compare` with each of these choices, from one calibration run with one worker in this
    process, which also shows how much losses vary between repeats if there is time for some; no ledger is changed.

    choices: at least one, of the settings trials, repeats, until_decided and max_repeats; settings: the others. Raises
    InputError as `compare` does.
    """
    from cooldown.search.tuning.dry_run import estimates

    plans = [prepared(task, None, db, 1, {**settings, **choice}) for choice in choices]
    with open_executor(None, 1) as executor:
        return estimates(plans, executor, most=TIMED_REPEATS if len(plans[0][0].arms) > 1 else 1)


@explicit(OneArm)
def tune(
    task: Any,
    *,
    arm: str | None = None,
    repeats: int = 1,
    name: str | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    report: Report | None = None,
    on_task: OnTask = lambda _: None,
    **settings: Unpack[OneArm],
) -> Result:
    """Search one joint arm, by default over all optimizers and schedules. Arguments and errors as for `compare`.

    A joint search favours what looks good early: it finds a good config, but is no evidence about which optimizer is
    better.
    """
    if "arms" in settings:
        raise InputError(f"tune(arms=...): {ONE_ARM}; use arm=, for example arm='momentum,adam+cosine,sgdr'")
    return compare(
        task,
        arms=(arm or joint_arm(),),
        repeats=repeats,
        name=name,
        db=db,
        workers=workers,
        executor=executor,
        time_limit=time_limit,
        max_gradient_evaluations=max_gradient_evaluations,
        report=report,
        on_task=on_task,
        **settings,
    )


def load(name: str, *, db: str | PathLike[str] | None = None, trust: bool = False) -> Result:
    """The experiment `name` in its current state; raises LedgerError if there is none.

    trust: import modules that the ledger names, as in `mymodule:Lion`; else UntrustedModuleError says which.
    """
    with reading(trust):
        return Result(with_studies(Ledger(database_url(db), create=False).load(name)), trust=trust)


def summaries(db: str | PathLike[str] | None = None) -> list[Summary]:
    """All experiments of a ledger that can be read, newest first; an empty list if the ledger does not exist."""
    try:
        return Ledger(database_url(db), create=False).summaries()
    except NoLedgerError:
        return []


def unreadable(db: str | PathLike[str] | None = None) -> list[UnreadableError]:
    """Why other experiments of a ledger are not among its `summaries`: what is wrong with them."""
    try:
        return Ledger(database_url(db), create=False).unreadable()
    except NoLedgerError:
        return []


def winners(db: str | PathLike[str] | None = None) -> dict[str, Sequence[Winner]]:
    """The winners of every experiment of a ledger, by its name; none if the ledger does not exist."""
    try:
        return Ledger(database_url(db), create=False).winners()
    except NoLedgerError:
        return {}


def delete(name: str, *, db: str | PathLike[str] | None = None) -> None:
    """Remove the experiment `name` with all its trials; raises LedgerError while a process runs it."""
    Ledger(database_url(db), create=False).delete(name)
