"""GP: a Gaussian process over the trials, and where it expects to improve on them."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's, seeded."""
    import optuna

    return optuna.samplers.GPSampler(seed=number, warn_independent_sampling=False)


gp = Sampler("gp", make, "Optuna's Gaussian process sampler", startup=10, needs="torch")
