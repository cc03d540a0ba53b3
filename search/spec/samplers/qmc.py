"""QMC: a quasi-random sequence, which fills the search space more evenly than chance."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's, seeded."""
    import optuna

    # A quasi-random sequence is one sequence over all generations. What is not in it, the first trial and parameters
    # that depend on a choice, is random, and anew in each generation.
    return optuna.samplers.QMCSampler(
        seed=study_number,
        scramble=True,
        independent_sampler=optuna.samplers.RandomSampler(seed=number),
        warn_independent_sampling=False,
    )


qmc = Sampler("qmc", make, "a quasi-random sequence", independent=True)
