"""TPE: two densities, of the better and of the worse trials, and the values at which they differ most."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's, seeded."""
    import optuna

    return optuna.samplers.TPESampler(seed=number)


tpe = Sampler("tpe", make, "Optuna's TPE sampler", startup=10)
