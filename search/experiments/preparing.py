"""What is checked, and which experiment is meant, before anything runs."""

from collections.abc import Callable, Mapping
from numbers import Integral
from os import PathLike, fspath
from typing import Any, NamedTuple

from cooldown.objectives.data.uploaded import digest_in, is_upload, task_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task, from_frame, is_frame
from cooldown.search.evidence.commands import command
from cooldown.search.executors.opening import check_executor
from cooldown.search.experiments.running import worker_count
from cooldown.search.spec import limits, samplers
from cooldown.search.spec.experiment import Experiment, planned_spec, read_spec
from cooldown.search.spec.looks import default_plan
from cooldown.search.spec.recorded import spec_of_record
from cooldown.search.spec.space import search_space
from cooldown.search.spec.task_fields import BY_TASK, READING
from cooldown.search.tuning.costs import arm_cost
from cooldown.search.tuning.splits import Splits, task_of, with_own_test
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, Terms
from cooldown.storage.address import database_url
from cooldown.storage.datasets import Uploads
from cooldown.storage.loops import Loop
from cooldown.storage.names import check_new_name, name_after
from cooldown.storage.submissions import Submission
from cooldown.storage.terms import USUAL, unchanged

OF_TABLE = ("target", "sample_weight", "kind", *BY_TASK, *READING)
"""Settings that say what the columns of a table are."""


class Asked(NamedTuple):
    """What is asked for, checked as far as that takes no look at the rows.

    looks_planned: whether the plan of its looks is still to be made, from what a repeat costs.
    """

    spec: Experiment
    task: Task
    looks_planned: bool


def prepared(
    task: Any, name: Any, db: Any, workers: Any, settings: Mapping[str, Any], executor: Any = None
) -> tuple[Experiment, Splits]:
    """The spec and its splits; raises InputError for what cannot be run."""
    return split(asked(task, name, db, workers, settings, executor), workers)


def asked(task: Any, name: Any, db: Any, workers: Any, settings: Mapping[str, Any], executor: Any = None) -> Asked:
    """The spec and its task; raises InputError for what cannot be run, as far as that is known without the rows."""
    fields = {key: value for key, value in settings.items() if value is not None}
    if isinstance(task, PathLike):
        task = fspath(task)
    elif is_frame(task):
        # Its columns are named in the task, not in the spec.
        of_table = {key: fields.pop(key) for key in OF_TABLE if key in fields}
        task = from_frame(task, **of_table)
    if "widened" in fields:
        raise InputError("widened: set only by `cooldown resume NAME --extend`; use ranges instead")
    fixed, until_decided = "repeats" in fields, fields.get("until_decided")
    spec = planned_spec(task=task.name if isinstance(task, Task) else task, **fields)
    check(spec, name, db, workers, executor)
    if until_decided and len(spec.arms) < 2:
        raise InputError("until_decided: with one arm there is no question to decide; give two, or repeats")
    resolved = task_of(spec, task if isinstance(task, Task) else None, Uploads(database_url(db)))
    return Asked(with_own_test(spec, resolved), resolved, not fixed)


def split(asked: Asked, workers: int | None) -> tuple[Experiment, Splits]:
    """The spec and its splits; raises InputError for what cannot be trained on these rows, or in this memory."""
    spec = asked.spec
    splits = Splits(asked.task, spec)
    # It knows what training allocates; commands that only read must not import that.
    from cooldown.search.tuning.size import check_size

    check_size(spec, splits, worker_count(spec, workers))
    # Report models that cannot be pickled or trained before the experiment is created.
    splits.packed.pickled  # noqa: B018
    for arm in spec.parsed_arms:
        for config in search_space(spec, arm, splits.updates_per_epoch(arm)).programs():
            config.check_model(splits.example.model)
    if asked.looks_planned and not spec.looks and len(spec.arms) > 1:
        per_repeat = sum(arm_cost(arm, spec, splits).total for arm in spec.parsed_arms) // spec.repeats
        spec = read_spec(**{**spec.to_json(), "looks": default_plan(per_repeat)})
    return spec, splits


def check(spec: Experiment, name: Any, db: Any, workers: Any, executor: Any = None) -> None:
    """Raise InputError for what the spec itself does not check."""
    samplers.get(spec.sampler).check()
    if name is not None:
        check_new_name(name)
    if db is not None and not isinstance(db, str | PathLike):
        raise InputError(f"db: should be a database URL such as sqlite:///cooldown.db, or a file's path, got {db!r}")
    counted = isinstance(workers, Integral) and not isinstance(workers, bool)
    if workers is not None and not (counted and 1 <= workers <= limits.WORKERS):
        raise InputError(f"workers: should be a whole number from 1 to {limits.WORKERS}, got {workers!r:.80}")
    check_executor(executor, workers)


def find(
    ledger: Ledger, spec: Experiment, fingerprint: str, name: str | None, owner: str | None = None
) -> ExperimentRecord | None:
    """The experiment to continue: the one called `name`, or without a name one with the same spec and data.

    owner: whose it has to be; None for anybody's.

    Raises InputError if the one called `name` has another spec, other data or another owner, or cannot be read.
    """
    fields = spec.to_json()
    for outline in ledger.outlines(name, fingerprint, fields):
        if owner is not None and outline.terms.owner != owner:
            if name is not None:
                raise InputError(f"experiment {name!r} exists; choose another name")
            continue
        recorded = outline.spec
        # How far it went on is no other spec, nor is what its plan changed until it answered.
        own = {"until", "repeats", "widened"} if spec.looks and recorded.get("looks") == fields["looks"] else {"until"}
        keys = (fields.keys() | recorded.keys()) - own
        differing = {key for key in keys if recorded.get(key) != fields.get(key)}
        if name is None:
            # An experiment that a user extended later differs from a run of this spec.
            extended = any(not step.get("planned") for step in outline.extended_from)
            if not differing and not extended:
                return ledger.load(outline.name)
        else:
            # One of an older protocol, or whose ranges were widened, is continued by its own.
            if differing := differing - {"protocol", "widened"}:
                raise InputError(
                    f"experiment {name!r} exists with other settings ({', '.join(sorted(differing))}); choose another "
                    f"--name, or run `{command('delete', name, db=ledger.db)}` first"
                )
            if outline.task_fingerprint != fingerprint:
                raise InputError(f"experiment {name!r} exists with other data; choose another --name")
            return ledger.load(name)
    return None


def created(
    ledger: Ledger,
    spec: Experiment,
    task: Task,
    name: str | None,
    terms: Terms,
    *,
    queued: bool = False,
    submission: Submission | None = None,
    loop: Loop | None = None,
) -> str:
    """Create an experiment, and return its name; without one, it is called after its task, or the file that was
    uploaded as it.
    """
    base = name or name_after(_called(ledger, spec, task, terms.owner))
    return ledger.create(
        base,
        spec.to_json(),
        task.fingerprint(),
        planned(spec),
        numbered=name is None,
        terms=terms,
        queued=queued,
        submission=submission,
        loop=loop,
    )


def _called(ledger: Ledger, spec: Experiment, task: Task, owner: str) -> str:
    """What an experiment is called after: its task, or as its owner calls the file of it."""
    if not is_upload(spec.task) or task.name != task_name(digest := digest_in(spec.task)):
        return task.name
    data = ledger.datasets.of(owner, digest)
    return task_name(digest, None if data is None else data.file)


def opened(
    spec: Experiment,
    splits: Splits,
    name: str | None,
    db: str | PathLike[str] | None,
    terms: Callable[[Terms], Terms] = unchanged,
) -> tuple[Ledger, ExperimentRecord, Experiment, Splits]:
    """The ledger, the experiment to run in it, continued or created, and the spec and splits that it is to run with.

    terms: of a new one.
    """
    ledger = Ledger(database_url(db))
    record = find(ledger, spec, splits.task.fingerprint(), name)
    if record is None:
        return ledger, ledger.load(created(ledger, spec, splits.task, name, terms(USUAL))), spec, splits
    # It may have been extended, or its ranges widened.
    spec = spec_of_record(record)
    return ledger, record, spec, Splits(splits.task, spec)
