"""The functions of the service: compare, tune, resume, load. The command line only calls these and prints the results.

Comparing again with the same spec continues where it stopped: comparing and resuming are the same operation.
"""

import shlex
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.experiments.result import Result
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.experiment import Experiment, read_spec, recorded_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits, recorded_task, task_of, with_own_test
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, NoLedgerError, Purpose, Status, Summary
from cooldown.storage.address import database_url

if TYPE_CHECKING:
    from cooldown.search.tuning.dry_run import Estimate

MAX_NAME = 200
ONE_ARM = "tune searches one joint arm"
Report = Callable[[Progress], None]


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
    settings: the fields of `Experiment`: arms, trials, repeats, epochs, seeds, … An experiment with the same name, or
    without a name one with the same spec, is continued.
    Raises InputError for invalid input, before anything is written.
    """
    spec, splits = _prepared(task, name, db, workers, settings)
    fingerprint = splits.task.fingerprint()
    ledger = Ledger(database_url(db))
    record = _find(ledger, spec, fingerprint, name)
    if record is None:
        name = name or _free_name(ledger, splits.task.name)
        ledger.create(name, spec.to_json(), fingerprint, planned(spec))
    elif record.status is Status.DONE:
        return Result(record)
    else:
        # It may have been extended, or its ranges widened.
        name, spec = record.name, recorded_spec(record.spec)
        splits = Splits(splits.task, spec)
    return _run(ledger, name, spec, splits, workers, report)


def dry_run(
    task: str | Task, *, name: str | None = None, db: str | None = None, workers: int | None = None, **settings: Any
) -> "Estimate":
    """Estimate time and cost of `compare` with the same arguments, from a short calibration run; no ledger is changed.

    Raises InputError as `compare` does.
    """
    from cooldown.search.executors.local import local_processes
    from cooldown.search.tuning.dry_run import estimate

    spec, splits = _prepared(task, name, db, workers, settings)
    with suppress(NoLedgerError):
        # Raises if the name is taken.
        _find(Ledger(database_url(db), create=False), spec, splits.task.fingerprint(), name)
    count = _workers(spec, workers)
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
    db: str | None = None,
    workers: int | None = None,
    report: Report = lambda _: None,
) -> Result:
    """Continue the experiment `name` to its end; a finished one is returned as it is, unless it is extended.

    trials, repeats: extend it to these numbers; finished work is kept. With more repeats the ledger is what a run with
    that many from the start would have left. With more trials each study continues where it stopped, and its finalists
    and winner are chosen again among all its trials. extend: once the experiment is done, widen each range at whose
    edge an arm's best values cluster, by a decade, and search that arm again; the first searches are kept. Raises
    InputError for a smaller number than there is, for a task that cannot be loaded, and if `extend` was the only
    request and there is nothing to widen.
    """
    ledger = Ledger(database_url(db), create=False)
    record = ledger.load(name)
    before = recorded_spec(record.spec)
    spec = _larger(record, before, trials, repeats)
    finished = record.status is Status.DONE
    if finished and spec == before and not extend:
        return Result(record)
    _check(spec, None, db, workers)
    splits = _recorded_splits(record, before, spec)
    result = Result(record) if finished else _run(ledger, name, before, splits, workers, report)
    # It is finished before it is extended: else the finalists would depend on when it was interrupted.
    if spec != before:
        result = _extended(ledger, result.record, before, spec, splits, workers, report)
    if not extend:
        return result
    wider = _widened(result.record, spec)
    if wider != spec:
        return _extended(ledger, result.record, spec, wider, splits, workers, report)
    if finished and spec == before:
        raise InputError(
            f"nothing to extend in {name!r}: no arm's best values cluster at the edge of a range that can be widened"
        )
    return result


def _larger(record: ExperimentRecord, before: Experiment, trials: int | None, repeats: int | None) -> Experiment:
    """The recorded spec `before` with more trials and repeats; raises InputError for fewer."""
    changes = {key: value for key, value in (("trials", trials), ("repeats", repeats)) if value is not None}
    spec = recorded_spec({**record.spec, **changes})
    for key in changes:
        if getattr(spec, key) < getattr(before, key):
            raise InputError(
                f"--{key} {getattr(spec, key)}: experiment {record.name!r} already has {getattr(before, key)}, and "
                "finished work is kept; give a larger number"
            )
    return spec


def _recorded_splits(record: ExperimentRecord, before: Experiment, spec: Experiment) -> Splits:
    """The splits for `spec` of an experiment's task; raises InputError if the task cannot be loaded or has changed."""
    try:
        return Splits(recorded_task(record, before), spec)
    except InputError as error:
        raise InputError(
            f"{error}; for a task that is a Python object, call compare(task, name={record.name!r}, ...) with it"
        ) from error


def _extended(
    ledger: Ledger,
    record: ExperimentRecord,
    before: Experiment,
    spec: Experiment,
    splits: Splits,
    workers: int | None,
    report: Report,
) -> Result:
    """Extend an experiment that is done under the spec `before` to the larger `spec`, and run it."""
    old, new = before.to_json(), spec.to_json()
    changed = {key: old.get(key) for key in new if old.get(key) != new[key]}
    # With more repeats alone, the experiment is the same as one that had them from the start: no history is needed.
    history = list(record.extended_from)
    if history or set(changed) != {"repeats"}:
        history.append(changed)
    ledger.extend(record.name, new, planned(spec), history)
    return _run(ledger, record.name, spec, splits, workers, report)


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


def delete(name: str, *, db: str | None = None) -> None:
    """Remove the experiment `name` with all its trials; raises LedgerError while a process runs it."""
    Ledger(database_url(db), create=False).delete(name)


def _prepared(
    task: str | Task, name: Any, db: Any, workers: Any, settings: Mapping[str, Any]
) -> tuple[Experiment, Splits]:
    """The spec and its splits; raises InputError for what cannot be run."""
    fields = {key: value for key, value in settings.items() if value is not None}
    if "widened" in fields:
        raise InputError("widened: set only by `cooldown resume NAME --extend`; use ranges instead")
    spec = read_spec(task=task.name if isinstance(task, Task) else task, **fields)
    _check(spec, name, db, workers)
    resolved = task_of(spec, task if isinstance(task, Task) else None)
    spec = with_own_test(spec, resolved)
    splits = Splits(resolved, spec)
    # Report data that cannot be split and models that cannot be pickled or trained before the experiment is created.
    for purpose in Purpose:
        splits.packed(purpose, 0)
    for arm in spec.parsed_arms:
        for config in search_space(spec, arm, splits.updates_per_epoch).programs():
            config.check_model(splits.model)
    return spec, splits


def _check(spec: Experiment, name: Any, db: Any, workers: Any) -> None:
    """Raise InputError for what the spec itself does not check."""
    samplers.get(spec.sampler).check()
    if name is not None:
        _check_name(name)
    if db is not None and not isinstance(db, str):
        raise InputError(f"db: should be a database URL such as sqlite:///cooldown.db, got {db!r}")
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise InputError(f"workers: should be a whole number of at least 1, got {workers!r}")


def _check_name(name: Any) -> None:
    """Raise InputError unless the name is one line of text that can be typed as a command's argument."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"name: should be a non-empty string, got {name!r}")
    if len(name) > MAX_NAME:
        raise InputError(f"name: should have at most {MAX_NAME} characters, got {len(name)}")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise InputError(f"name: should be one line of printable text, got {name!r}")
    if name.startswith("-"):
        raise InputError(f"name: should not start with '-', got {name!r}")


def _run(ledger: Ledger, name: str, spec: Experiment, splits: Splits, workers: int | None, report: Report) -> Result:
    from cooldown.search.executors.local import local_processes
    from cooldown.search.tuning.runner import run

    count = _workers(spec, workers)
    run(ledger, name, spec, splits, lambda: local_processes(count), queue=2 * count, report=report)
    return Result(ledger.load(name))


def _workers(spec: Experiment, workers: int | None) -> int:
    """How many processes to start: at most one per study, because a study's jobs run one after another."""
    from cooldown.search.executors.local import default_workers

    return min(workers or default_workers(), len(planned(spec)))


def _find(ledger: Ledger, spec: Experiment, fingerprint: str, name: str | None) -> ExperimentRecord | None:
    """The experiment to continue: the one called `name`, or without a name one with the same spec and data.

    Raises InputError if the one called `name` has another spec or other data.
    """
    fields = spec.to_json()
    for summary in ledger.summaries():
        if name is None:
            # An experiment that was extended later differs from a run of this spec.
            same_spec = summary.spec == fields and not summary.extended_from
            if same_spec and summary.task_fingerprint == fingerprint:
                return ledger.load(summary.name)
        elif name == summary.name:
            # One of an older protocol is continued by its own.
            settings = {key: value for key, value in fields.items() if key != "protocol"}
            differing = sorted(key for key, value in settings.items() if summary.spec.get(key) != value)
            if differing:
                raise InputError(
                    f"experiment {name!r} exists with other settings ({', '.join(differing)}); choose another --name, "
                    f"or run `cooldown delete {shlex.quote(name)}` first"
                )
            if summary.task_fingerprint != fingerprint:
                raise InputError(f"experiment {name!r} exists with other data; choose another --name")
            return ledger.load(name)
    return None


def _free_name(ledger: Ledger, base: str) -> str:
    taken = {summary.name for summary in ledger.summaries()}
    number = 1
    while (name := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return name
