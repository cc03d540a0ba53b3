"""Continue an experiment: to its end, with more trials or repeats, over wider ranges, or until it is answered."""

from dataclasses import dataclass
from os import PathLike
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.objectives.trust import reading
from cooldown.search.evidence.edges import edges
from cooldown.search.executors.opening import open_executor
from cooldown.search.experiments.notebook import interruptible, reporting
from cooldown.search.experiments.plan import next_step, widened
from cooldown.search.experiments.preparing import check
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.running import Report, Runs, worker_count
from cooldown.search.experiments.terms import agreed
from cooldown.search.spec.experiment import Experiment, recorded_spec
from cooldown.search.spec.looks import MOST_UNTIL_DECIDED
from cooldown.search.spec.recorded import resumable, spec_of_record
from cooldown.search.spec.values import plain
from cooldown.search.tuning.held import held
from cooldown.search.tuning.splits import Splits, recorded_task
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, Status
from cooldown.storage.address import database_url


def resume(
    name: str,
    *,
    trials: int | None = None,
    repeats: int | None = None,
    extend: bool = False,
    until_decided: bool = False,
    max_repeats: int | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    time_limit: float | str | None = None,
    max_gradient_evaluations: int | str | None = None,
    trust: bool = False,
    report: Report | None = None,
) -> Result:
    """Continue the experiment `name` to its end; a finished one is returned as it is, unless it is extended.

    trials, repeats: extend it to these numbers; finished work is kept. With more repeats the ledger is what a run with
    that many from the start would have left. With more trials each study continues where it stopped, and its finalists
    and winner are chosen again among all its trials. extend: once the experiment is done, widen each range at whose
    edge an arm's best values cluster, by a decade, and search that arm again; the first searches are kept.
    until_decided: then add repeats, with a look at each planned number and then at each doubling, until the question is
    answered or there are max_repeats, by default 20 or twice what there is; an interrupted run resumes with this, and
    ranges that need it are widened first. trust: import modules that the ledger names; else
    UntrustedModuleError says which. workers, executor, time_limit, max_gradient_evaluations, report: as in `compare`.
    Raises InputError for a smaller number than there is, for a task that cannot be loaded, and if `extend` was the only
    request and there is nothing to widen.
    """
    terms = agreed(time_limit=time_limit, max_gradient_evaluations=max_gradient_evaluations)
    ledger = Ledger(database_url(db), create=False)
    with reading(trust):
        record = ledger.load(name)
        before = spec_of_record(record)
    asked = requested(record, before, trials, repeats, extend, until_decided, max_repeats)
    if asked is None:
        return Result(record)
    spec, finished = asked.spec, record.status is Status.DONE
    check(spec, None, db, workers, executor)
    if extend and finished and spec == before:
        to_widen(Result(record), spec)
    if spec.until != before.until:
        # First of all, so that an interrupted run goes on with it.
        before = before.model_copy(update={"until": spec.until})
        ledger.extend(name, before.to_json(), planned(before), record.extended_from)
        record, finished = ledger.load(name), False
    with reading(trust):
        splits = recorded_splits(record, before, spec)
    # It knows what training allocates; commands that only read must not import that.
    from cooldown.search.tuning.size import check_size

    check_size(spec, splits, worker_count(spec, workers))
    opened = open_executor(executor, worker_count(spec, workers))
    with opened, interruptible(name, db), reporting(report) as told, held(ledger.hold(name, terms)) as writer:
        runs = Runs(ledger, writer, splits, opened, told)
        result = Result(record) if finished else runs.run(before)
        # It is finished before it is extended: else the finalists would depend on when it was interrupted.
        if spec != before and result.status is Status.DONE:
            result = runs.extended(result.record, before, spec)
        if extend and result.status is Status.DONE:
            wider = widened(edges(result.view), spec)
            if wider != spec:
                result, spec = runs.extended(result.record, spec, wider), wider
        if asked.plan:
            runs.until_answered(result, spec)
    return Result(ledger.load(name))


@dataclass(frozen=True)
class Requested:
    """What is asked of an experiment. spec: the larger one. plan: whether it then goes on with its plan."""

    spec: Experiment
    plan: bool


def requested(
    record: ExperimentRecord,
    before: Experiment,
    trials: Any,
    repeats: Any,
    extend: bool,
    until_decided: bool,
    max_repeats: Any,
) -> Requested | None:
    """What `resume` is asked for; None where that is nothing, because all is done. before: the recorded spec.

    Raises InputError for what cannot be done.
    """
    trials, repeats, max_repeats = plain((trials, repeats, max_repeats))
    spec = _larger(record, before, trials, repeats)
    asked = spec != before or extend
    spec = _going_on(record, spec, until_decided, max_repeats)
    # What is asked for is done, and no more; without a request, or with this one, the plan goes on.
    plan = until_decided or not (asked or trials or repeats)
    finished = record.status is Status.DONE
    if finished and not asked and not (plan and _goes_on(Result(record), spec, until_decided)):
        return None
    return Requested(spec, plan)


def to_widen(result: Result, spec: Experiment) -> Experiment:
    """The spec with wider ranges where best values cluster at an edge; raises InputError if there are none."""
    wider = widened(edges(result.view), spec)
    if wider == spec:
        raise InputError(
            f"nothing to extend in {result.name!r}: no arm's best values cluster at the edge of a range that can be "
            "widened"
        )
    return wider


def _goes_on(result: Result, spec: Experiment, until_decided: bool) -> bool:
    """Whether the plan of a finished experiment has a next step.

    Raises InputError if it was asked to go on until it is decided, and that cannot be.
    """
    if next_step(result.view, spec) is not None:
        return True
    if until_decided:
        if len(result.view.arms) < 2:
            raise InputError(f"{result.name!r} compares nothing: with one arm there is no question to decide")
        first = result.verdicts[0]
        if first.withheld:
            raise InputError(f"more repeats cannot decide {result.name!r}: {first.why}")
    return False


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


def recorded_splits(record: ExperimentRecord, before: Experiment, spec: Experiment) -> Splits:
    """The splits for `spec` of an experiment's task; raises InputError if the task cannot be loaded or has changed."""
    try:
        return Splits(recorded_task(record, before), spec)
    except InputError as error:
        if resumable(record.spec):
            raise
        raise InputError(
            f"{error}; to go on with it, call compare(task, name={record.name!r}, ...); for runs that a program asks "
            f"for, cooldown.runs({record.name!r}, ...), start it again"
        ) from error
