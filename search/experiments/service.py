"""The service's functions: compare, tune, resume, load. The command line calls these and adds only words.

Comparing again under the same spec goes on where it stopped: resuming and comparing are the same thing.
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
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.splits import Splits, recorded_task, task_of
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, NoLedgerError, Status, Summary
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
    """Tune every arm on `task` under equal budgets and say which is better.

    task: a built-in name, a path to a CSV or Parquet file (with `target`), `module:attribute`, or a Task. name: what to
    call the experiment; by default after its task. db: database URL. workers: processes, by default one per core.
    settings: the fields of `Experiment`: arms, trials, repeats, epochs, seeds, … An experiment of the same name or,
    without a name, of the same spec is continued. Raises InputError for a bad input, before anything is written.
    """
    spec, splits = _prepared(task, name, db, workers, settings)
    fingerprint = splits.task.fingerprint()
    ledger = Ledger(database_url(db))
    found = _find(ledger, spec, fingerprint, name)
    if found is None:
        name = name or _free_name(ledger, splits.task.name)
        ledger.create(name, spec.to_json(), fingerprint, planned(spec))
    elif found.status is Status.DONE:
        return Result(found)
    else:
        # It may have been extended, or its ranges widened.
        name, spec = found.name, read_spec(**found.spec)
    return _run(ledger, name, spec, splits, workers, report)


def dry_run(
    task: str | Task, *, name: str | None = None, db: str | None = None, workers: int | None = None, **settings: Any
) -> "Estimate":
    """What `compare` with the same arguments would take, from a short calibration run; no ledger is touched.

    Raises InputError where `compare` would for its arguments.
    """
    from cooldown.search.executors.local import local_processes
    from cooldown.search.tuning.dry_run import estimate

    spec, splits = _prepared(task, name, db, workers, settings)
    with suppress(NoLedgerError):
        # Whether the name is free.
        _find(Ledger(database_url(db), create=False), spec, splits.task.fingerprint(), name)
    count = _workers(spec, workers)
    return estimate(spec, splits, count, lambda: local_processes(count))


def tune(task: str | Task, *, arm: str | None = None, repeats: int = 1, **options: Any) -> Result:
    """Search one joint arm, by default over all optimizers and schedules. Options as for `compare`.

    A joint search favours what looks good early: it finds a good config, but is no evidence between optimizers.
    """
    if "arms" in options:
        raise InputError(f"tune(arms=...): {ONE_ARM}, as in arm='momentum,adam+cosine,sgdr'")
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

    trials, repeats: extend it to so many, keeping what is there. With more repeats the ledger holds what a run with so
    many from the start would have left; with more trials each study goes on where it stopped, and its finalists and
    winner are chosen anew among all its trials. extend: where, once it is done, an arm's best values cluster at an edge
    of a range, widen the range there by a decade and search that arm again; the first searches are kept. Raises
    InputError where there was nothing to do but that, and none do.
    """
    ledger = Ledger(database_url(db), create=False)
    record = ledger.load(name)
    before = read_spec(**record.spec)
    wanted = {key: value for key, value in (("trials", trials), ("repeats", repeats)) if value is not None}
    spec = read_spec(**{**record.spec, **wanted})
    for key in wanted:
        if getattr(spec, key) < getattr(before, key):
            raise InputError(
                f"--{key} {getattr(spec, key)}: the experiment {name!r} has {getattr(before, key)} already, and these "
                "are kept"
            )
    if record.status is Status.DONE and spec == before and not extend:
        return Result(record)
    _check(spec, None, db, workers)
    try:
        splits = Splits(recorded_task(record, before), spec)
    except InputError as error:
        raise InputError(
            f"{error}; if it was given as an object in Python, call compare(task, name={name!r}, ...) with it"
        ) from error
    finished = record.status is Status.DONE
    result = Result(record) if finished else _run(ledger, name, before, splits, workers, report)
    # Only what is done is extended: else the time of an interruption would decide who had become a finalist by then.
    if spec != before:
        result = _extended(ledger, result.record, before, spec, splits, workers, report)
    if not extend:
        return result
    wider = _widened(result.record, spec)
    if wider != spec:
        return _extended(ledger, result.record, spec, wider, splits, workers, report)
    if finished and spec == before:
        raise InputError(
            f"nothing to extend in {name!r}: no arm's best values crowd at an edge of a range beyond which there are "
            "others"
        )
    return result


def _extended(
    ledger: Ledger,
    record: ExperimentRecord,
    before: Experiment,
    spec: Experiment,
    splits: Splits,
    workers: int | None,
    report: Report,
) -> Result:
    """The experiment, which was done under `before`, done under the larger `spec`."""
    was, wanted = before.to_json(), spec.to_json()
    changed = {key: was.get(key) for key in wanted if was.get(key) != wanted[key]}
    # An experiment that only ever got more repeats is what it would have been with so many from the start.
    history = list(record.extended_from)
    if history or set(changed) != {"repeats"}:
        history.append(changed)
    ledger.extend(record.name, wanted, planned(spec), history)
    return _run(ledger, record.name, spec, splits, workers, report)


def _widened(record: ExperimentRecord, spec: Experiment) -> Experiment:
    """The spec with every range widened at whose edge an arm's best values cluster."""
    from cooldown.search.evidence.edges import edges
    from cooldown.search.evidence.view import View

    ranges: dict[str, dict[str, Any]] = {}
    for edge in edges(View(record)):
        ranges.setdefault(edge.arm, {})[edge.parameter.key] = edge.wider
    steps = {arm: (*spec.widened.get(arm, ()), step) for arm, step in ranges.items()}
    return read_spec(**{**spec.to_json(), "widened": {**spec.widened, **steps}})


def load(name: str, *, db: str | None = None) -> Result:
    """The experiment `name` as the ledger has it now."""
    return Result(Ledger(database_url(db), create=False).load(name))


def summaries(db: str | None = None) -> list[Summary]:
    """All experiments of a ledger, newest first; none where there is no ledger."""
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
    """The spec and what it is trained on; raises InputError for what cannot be run."""
    given = {key: value for key, value in settings.items() if value is not None}
    if "widened" in given:
        raise InputError("widened: only `cooldown resume NAME --extend` widens ranges; give others as ranges")
    spec = read_spec(task=task.name if isinstance(task, Task) else task, **given)
    _check(spec, name, db, workers)
    splits = Splits(task_of(spec, task if isinstance(task, Task) else None), spec)
    # What cannot be split, not be sent to a worker or not be trained is told now, before there is an experiment.
    for repeat in range(spec.repeats):
        splits.search(repeat)
    _ = splits.evaluation
    for arm in spec.parsed_arms:
        for config in search_space(spec, arm, splits.updates_per_epoch).programs():
            config.check_model(splits.model)
    return spec, splits


def _check(spec: Experiment, name: Any, db: Any, workers: Any) -> None:
    """Raise InputError for what the spec does not check itself."""
    samplers.get(spec.sampler).check()
    if name is not None:
        _check_name(name)
    if db is not None and not isinstance(db, str):
        raise InputError(f"db: should be a database address, such as sqlite:///cooldown.db, got {db!r}")
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise InputError(f"workers: should be a whole number of at least 1, got {workers!r}")


def _check_name(name: Any) -> None:
    """A name is shown in tables and typed again: one line of text that no shell takes for an option."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"name: should be a text that is not empty, got {name!r}")
    if len(name) > MAX_NAME:
        raise InputError(f"name: should have at most {MAX_NAME} characters, got {len(name)}")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise InputError(f"name: should be one line of printable text, got {name!r}")
    if name.startswith("-"):
        raise InputError(f"name: should not begin with '-', got {name!r}")


def _run(ledger: Ledger, name: str, spec: Experiment, splits: Splits, workers: int | None, report: Report) -> Result:
    from cooldown.search.executors.local import local_processes
    from cooldown.search.tuning.runner import run

    count = _workers(spec, workers)
    run(ledger, name, spec, splits, lambda: local_processes(count), queue=2 * count, report=report)
    return Result(ledger.load(name))


def _workers(spec: Experiment, wanted: int | None) -> int:
    """How many processes to start: more than there are studies would have nothing to do."""
    from cooldown.search.executors.local import default_workers

    return min(wanted or default_workers(), len(planned(spec)))


def _find(ledger: Ledger, spec: Experiment, fingerprint: str, name: str | None) -> ExperimentRecord | None:
    """The experiment to continue: the one called `name`, or else one of the same spec on the same data."""
    wanted = spec.to_json()
    for summary in ledger.summaries():
        if name is None:
            # One that was given more trials later is not what this spec leaves behind.
            alike = summary.spec == wanted and not summary.extended_from
            if alike and summary.task_fingerprint == fingerprint:
                return ledger.load(summary.name)
        elif name == summary.name:
            differing = sorted(key for key, value in wanted.items() if summary.spec.get(key) != value)
            if differing:
                raise InputError(
                    f"there is an experiment {name!r} with other settings ({', '.join(differing)}): choose another "
                    f"--name, or `cooldown delete {shlex.quote(name)}` first"
                )
            if summary.task_fingerprint != fingerprint:
                raise InputError(f"there is an experiment {name!r} on other data: choose another --name")
            return ledger.load(name)
    return None


def _free_name(ledger: Ledger, base: str) -> str:
    taken = {summary.name for summary in ledger.summaries()}
    number = 1
    while (name := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return name
