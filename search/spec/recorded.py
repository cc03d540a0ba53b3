"""The spec of an experiment in a ledger, which may have been damaged or edited."""

from collections.abc import Mapping
from typing import Any

from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import origin
from cooldown.objectives.trust import UntrustedModuleError, modules_in
from cooldown.search.spec.experiment import Experiment, recorded_spec
from cooldown.storage import ExperimentRecord, Summary, UnreadableError


def spec_of(recorded: ExperimentRecord | Summary) -> Experiment:
    """The spec of an experiment; raises UnreadableError with ledger and experiment if it is none here: damaged, or with
    an entry that this installation does not have.
    """
    try:
        return recorded_spec(recorded.spec)
    except UntrustedModuleError:
        raise
    except InputError as error:
        raise UnreadableError(recorded.where, recorded.name, "spec", str(error)) from error


def spec_of_record(record: ExperimentRecord) -> Experiment:
    """The spec of a whole experiment; raises UnreadableError as `spec_of` does, and for a study that it does not ask
    for.
    """
    spec = spec_of(record)
    for study in (*record.studies, *record.default_configs, *record.superseded):
        if study.arm not in spec.arms:
            place, known = f"{study.arm}, repeat {study.repeat}", ", ".join(spec.arms)
            raise UnreadableError(record.where, record.name, place, f"no such arm in its spec, which has {known}")
    return spec


def with_studies(record: ExperimentRecord) -> ExperimentRecord:
    """The record as it is; raises UnreadableError if it has no studies, which every experiment has from its start."""
    if not record.studies:
        raise UnreadableError(record.where, record.name, "studies", "there are none")
    return record


def names_modules(spec: Mapping[str, Any]) -> bool:
    """Whether a recorded spec names modules of a user's, which its reader has to trust."""
    return any(modules_in(str(text)) for text in (spec.get("task"), spec.get("sampler"), *spec.get("arms", ())))


def resumable(spec: Mapping[str, Any]) -> bool:
    """Whether a command can continue the experiment: not one whose task is an object of a Python program, as that of
    `cooldown.runs`, which alone can go on with it.
    """
    return origin(str(spec.get("task"))) != "object"


def continued_by_name(recorded: ExperimentRecord | Summary) -> bool:
    """Whether a command can continue the experiment: one that it can load, or whose runs are asked for by its name."""
    return resumable(recorded.spec) or recorded.queue.asked


def check_outline(summary: Summary) -> None:
    """Raise UnreadableError unless a spec has the fields that a list of experiments shows. What they name, such as an
    optimizer in a module that is missing here, is not looked for.
    """
    spec, arms = summary.spec, summary.spec.get("arms")
    fault = ""
    if not isinstance(arms, list) or not arms or not all(isinstance(arm, str) for arm in arms):
        fault = f"arms should be a list of texts, got {arms!r:.80}"
    if not isinstance(spec.get("task"), str):
        fault = f"task should be a text, got {spec.get('task')!r:.80}"
    for name in ("repeats", "trials"):
        count = spec.get(name)
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            fault = f"{name} should be a whole number of at least 1, got {count!r:.80}"
    if fault:
        raise UnreadableError(summary.where, summary.name, "spec", fault)
