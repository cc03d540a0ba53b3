"""The functions of the service: compare, tune, resume, load. The command line only calls these and prints the results.

Comparing again with the same spec continues where it stopped: comparing and resuming are the same operation.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.experiments.preparing import check, find, free_name, prepared
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.running import Report, Runs, goes_on, worker_count
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.experiment import Experiment, recorded_spec
from cooldown.search.spec.looks import MOST_UNTIL_DECIDED, further
from cooldown.search.tuning.splits import Splits, recorded_task
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, NoLedgerError, Status, Summary, Winner
from cooldown.storage.address import database_url

if TYPE_CHECKING:
    from cooldown.search.tuning.dry_run import Estimate

ONE_ARM = "tune searches one joint arm"


def compare(
    task: str | Task,
    *,
    name: str | None = None,
    db: str | None = None,
    workers: int | None = None,
    report: Report = lambda _: None,
    **settings: Any,
) -> Result:
    """Tune every arm on `task` under equal budgets, and report which is better.

    task: a built-in name, a path to a CSV or Parquet file (with `target`, and `test` for a file of test rows for all
    repeats), `openml:NAME`, `module:attribute`, or a Task. name: the experiment's name; by default that of the task.
    db: database URL. workers: processes, by default one per core. report: called with the progress after every step.
    settings: the fields of `Experiment`: arms, trials, repeats, epochs, seeds, …

    With neither repeats nor until_decided, the experiment is looked at after 5, 10, 20 and 40 repeats, as far as a
    budget in gradient evaluations goes, and ends as soon as its question is answered; with repeats=N it has N repeats.
    With until_decided=True there is no budget, and it goes on up to max_repeats, by default 20; repeats is then its
    first look. An experiment with the same name, or without a name one with the same spec, is continued.
    Raises InputError for invalid input, before anything is written.
    """
    spec, splits = prepared(task, name, db, workers, settings)
    fingerprint = splits.task.fingerprint()
    ledger = Ledger(database_url(db))
    record = find(ledger, spec, fingerprint, name)
    if record is None:
        name = name or free_name(ledger, splits.task.name)
        ledger.create(name, spec.to_json(), fingerprint, planned(spec))
    else:
        # It may have been extended, or its ranges widened.
        name, spec = record.name, recorded_spec(record.spec)
        splits = Splits(splits.task, spec)
    runs = Runs(ledger, splits, workers, report)
    result = Result(record) if record is not None and record.status is Status.DONE else runs.run(name, spec)
    return runs.until_decided(result, spec, further(spec.looks, spec.repeats, spec.until))


def dry_run(
    task: str | Task, *, name: str | None = None, db: str | None = None, workers: int | None = None, **settings: Any
) -> "Estimate":
    """Estimate time and cost of `compare` with the same arguments, from a short calibration run; no ledger is changed.

    Raises InputError as `compare` does.
    """
    from cooldown.search.executors.local import local_processes
    from cooldown.search.tuning.dry_run import estimate

    spec, splits = prepared(task, name, db, workers, settings)
    with suppress(NoLedgerError):
        # Raises if the name is taken.
        find(Ledger(database_url(db), create=False), spec, splits.task.fingerprint(), name)
    count = worker_count(spec, workers)
    return estimate(spec, splits, count, lambda: local_processes(count))


def tune(task: str | Task, *, arm: str | None = None, repeats: int = 1, **options: Any) -> Result:
    """Search one joint arm, by default over all optimizers and schedules. Options as for `compare`.

    A joint search favours what looks good early: it finds a good config, but is no evidence about which optimizer is
    better.
    """
    if "arms" in options:
        raise InputError(f"tune(arms=...): {ONE_ARM}; use arm=, for example arm='momentum,adam+cosine,sgdr'")
    return compare(task, arms=(arm or joint_arm(),), repeats=repeats, **options)


def resume(
    name: str,
    *,
    trials: int | None = None,
    repeats: int | None = None,
    extend: bool = False,
    until_decided: bool = False,
    max_repeats: int | None = None,
    db: str | None = None,
    workers: int | None = None,
    report: Report = lambda _: None,
) -> Result:
    """Continue the experiment `name` to its end; a finished one is returned as it is, unless it is extended.

    trials, repeats: extend it to these numbers; finished work is kept. With more repeats the ledger is what a run with
    that many from the start would have left. With more trials each study continues where it stopped, and its finalists
    and winner are chosen again among all its trials. extend: once the experiment is done, widen each range at whose
    edge an arm's best values cluster, by a decade, and search that arm again; the first searches are kept.
    until_decided: then go on, looking at the numbers of repeats of its plan and at doubled ones, until the question is
    answered or there are max_repeats, by default 20 or twice what there is; the ledger keeps this for an interrupted
    run. Raises InputError for a smaller number than there is, for a task that cannot be loaded, and if `extend` was the
    only request and there is nothing to widen.
    """
    ledger = Ledger(database_url(db), create=False)
    record = ledger.load(name)
    before = recorded_spec(record.spec)
    spec = _larger(record, before, trials, repeats)
    finished = record.status is Status.DONE
    asked = any(change is not None for change in (trials, repeats)) or extend
    spec = _going_on(record, spec, until_decided, max_repeats)
    # What is asked for is done, and no more; without a request, or with this one, the plan goes on.
    looks = () if asked and not until_decided else further(spec.looks, spec.repeats, spec.until)
    nothing_larger = spec.model_copy(update={"until": before.until}) == before
    if finished and nothing_larger and not extend and not (looks and goes_on(Result(record))):
        return Result(record)
    if until_decided and finished and not asked:
        _check_decidable(Result(record))
    check(spec, None, db, workers)
    if spec.until != before.until:
        # First of all, so that an interrupted run goes on with it.
        before = before.model_copy(update={"until": spec.until})
        ledger.extend(name, before.to_json(), planned(before), record.extended_from)
        record, finished = ledger.load(name), False
    runs = Runs(ledger, _recorded_splits(record, before, spec), workers, report)
    result = Result(record) if finished else runs.run(name, before)
    # It is finished before it is extended: else the finalists would depend on when it was interrupted.
    if spec != before:
        result = runs.extended(result.record, before, spec)
    if extend:
        wider = _widened(result.record, spec)
        if wider == spec and finished and nothing_larger:
            raise InputError(
                f"nothing to extend in {name!r}: no arm's best values cluster at the edge of a range that can be "
                "widened"
            )
        if wider != spec:
            result, spec = runs.extended(result.record, spec, wider), wider
    return runs.until_decided(result, spec, looks)


def _going_on(record: ExperimentRecord, spec: Experiment, until_decided: bool, max_repeats: int | None) -> Experiment:
    """The spec that says how far the experiment goes on, so that it does after an interruption too."""
    if not until_decided:
        if max_repeats is not None:
            raise InputError("--max-repeats says how far --until-decided goes; give both, or --repeats N")
        return spec
    most = max_repeats
    if most is None:
        under_way = spec.until is not None and spec.until > spec.repeats
        most = max(MOST_UNTIL_DECIDED, 2 * spec.repeats) if spec.until is None or not under_way else spec.until
    if most <= spec.repeats and record.status is Status.DONE and max_repeats is not None:
        raise InputError(
            f"--max-repeats {most}: experiment {record.name!r} already has {spec.repeats}; give a larger number"
        )
    return recorded_spec({**spec.to_json(), "until": most})


def _check_decidable(result: Result) -> None:
    """Raise InputError if more repeats cannot answer a finished experiment's question."""
    if len(result.view.arms) < 2:
        raise InputError(f"{result.name!r} compares nothing: with one arm there is no question to decide")
    first = result.verdicts[0]
    if first.withheld:
        raise InputError(f"more repeats cannot decide {result.name!r}: {first.why}")


def _larger(record: ExperimentRecord, before: Experiment, trials: int | None, repeats: int | None) -> Experiment:
    """The recorded spec `before` with more trials and repeats; raises InputError for fewer."""
    changes = {key: value for key, value in (("trials", trials), ("repeats", repeats)) if value is not None}
    for key, value in changes.items():
        if isinstance(value, int) and 0 < value < getattr(before, key):
            raise InputError(
                f"--{key} {value}: experiment {record.name!r} already has {getattr(before, key)}, and finished work is "
                "kept; give a larger number"
            )
    return recorded_spec({**record.spec, **changes})


def _recorded_splits(record: ExperimentRecord, before: Experiment, spec: Experiment) -> Splits:
    """The splits for `spec` of an experiment's task; raises InputError if the task cannot be loaded or has changed."""
    try:
        return Splits(recorded_task(record, before), spec)
    except InputError as error:
        raise InputError(
            f"{error}; for a task that is a Python object, call compare(task, name={record.name!r}, ...) with it"
        ) from error


def _widened(record: ExperimentRecord, spec: Experiment) -> Experiment:
    """The spec with each range widened at whose edge an arm's best values cluster."""
    from cooldown.search.evidence.edges import edges
    from cooldown.search.evidence.view import View

    ranges: dict[str, dict[str, Any]] = {}
    for edge in edges(View(record)):
        ranges.setdefault(edge.arm, {})[edge.parameter.key] = edge.wider
    steps = {arm: (*spec.widened.get(arm, ()), step) for arm, step in ranges.items()}
    return recorded_spec({**spec.to_json(), "widened": {**spec.widened, **steps}})


def load(name: str, *, db: str | None = None) -> Result:
    """The experiment `name` in its current state; raises LedgerError if there is none."""
    return Result(Ledger(database_url(db), create=False).load(name))


def summaries(db: str | None = None) -> list[Summary]:
    """All experiments of a ledger, newest first; an empty list if the ledger does not exist."""
    try:
        return Ledger(database_url(db), create=False).summaries()
    except NoLedgerError:
        return []


def winners(db: str | None = None) -> dict[str, Sequence[Winner]]:
    """The winners of every experiment of a ledger, by its name; none if the ledger does not exist."""
    try:
        return Ledger(database_url(db), create=False).winners()
    except NoLedgerError:
        return {}


def delete(name: str, *, db: str | None = None) -> None:
    """Remove the experiment `name` with all its trials; raises LedgerError while a process runs it."""
    Ledger(database_url(db), create=False).delete(name)
