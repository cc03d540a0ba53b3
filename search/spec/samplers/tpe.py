"""TPE: models the densities of the better and the worse trials, and proposes values where their ratio is highest."""

from typing import TYPE_CHECKING

from cooldown.search.spec.sampler import Sampler

if TYPE_CHECKING:
    import optuna


def make(number: int, study_number: int) -> "optuna.samplers.BaseSampler":
    """Optuna's TPESampler with this seed."""
    import optuna

    return optuna.samplers.TPESampler(seed=number)


tpe = Sampler("tpe", make, "Optuna's TPE sampler", startup=10)
