"""GP: a Gaussian process fitted to the trials proposes values with a high expected improvement."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's GPSampler with this seed."""
    import optuna

    return optuna.samplers.GPSampler(seed=number, warn_independent_sampling=False)


gp = Sampler("gp", make, "Optuna's Gaussian process sampler", startup=10, needs="torch")
