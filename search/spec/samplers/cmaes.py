"""CMA-ES: samples from a normal distribution whose mean and covariance adapt to the better trials."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's CmaEsSampler with this seed."""
    import optuna

    return optuna.samplers.CmaEsSampler(seed=number, warn_independent_sampling=False)


cmaes = Sampler("cmaes", make, "Optuna's CMA-ES sampler", startup=1, needs="cmaes")
