"""QMC: a quasi-random sequence, which fills the search space more evenly than random search."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's QMCSampler with these seeds."""
    import optuna

    # One quasi-random sequence per study, over all generations. What it does not cover (the first trial, and parameters
    # that depend on a choice) is random, with a new seed in each generation.
    return optuna.samplers.QMCSampler(
        seed=study_number,
        scramble=True,
        independent_sampler=optuna.samplers.RandomSampler(seed=number),
        warn_independent_sampling=False,
    )


qmc = Sampler("qmc", make, "a quasi-random sequence", independent=True)
