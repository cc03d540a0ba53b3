"""The size of an experiment, checked before anything of it is created."""

from dataclasses import replace

from cooldown.objectives.errors import InputError
from cooldown.objectives.training.memory import SERIES, check_memory, run_bytes
from cooldown.search.spec import limits
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.space import search_space
from cooldown.search.tuning.splits import Splits

OF_A_RUN = 2_000
"""Bytes of a recorded run beside its series."""


def check_size(spec: Experiment, splits: Splits, processes: int) -> None:
    """Raise InputError for an experiment whose studies, runs or record are too large for this machine.

    processes: workers, each of which trains.
    """
    if (studies := len(spec.arms) * spec.repeats) > limits.STUDIES:
        raise InputError(
            f"arms × repeats: {len(spec.arms)} × {spec.repeats:,} are {studies:,} studies, more than the limit of "
            f"{limits.STUDIES:,}"
        )
    problem, rows = splits.example, splits.task.n_rows
    needed = 0
    for arm in spec.parsed_arms:
        space = search_space(spec, arm, splits.updates_per_epoch(arm))
        configs = [replace(config, epochs=space.epochs) for config in space.programs()]
        for count, seeds in ((spec.generation, spec.seeds), (spec.finalists, spec.finalist_seeds)):
            together = min(count, spec.trials)
            needed = max(needed, *(run_bytes(problem, [config] * together, seeds, rows=rows) for config in configs))
        needed = max(needed, *(run_bytes(problem, [config], spec.confirm_seeds, rows=rows) for config in configs))
    check_memory(f"task {splits.task.name!r}", needed, processes)
    check_memory("the record of all runs", _record_bytes(spec))


def _record_bytes(spec: Experiment) -> int:
    """Bytes of all curves of the experiment."""
    finalists = min(spec.finalists, spec.trials) * spec.finalist_seeds
    runs = spec.trials * spec.seeds + finalists + spec.confirm_seeds
    return sum(spec.repeats * runs * (OF_A_RUN + 8 * SERIES * spec.epochs_of(arm)) for arm in spec.parsed_arms)
