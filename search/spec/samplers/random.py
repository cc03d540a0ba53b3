"""Random search: every trial is drawn independently from the search space."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's RandomSampler with this seed."""
    import optuna

    return optuna.samplers.RandomSampler(seed=number)


random = Sampler("random", make, "random search", independent=True)
