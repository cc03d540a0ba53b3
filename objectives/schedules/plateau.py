"""Plateau: where the held-out loss gets no better, a smaller rate, from the best parameters on."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Hyperparameter, Unit
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import Reaction, Schedule, gamma


def multiplier(s: NDArray[np.float64], total: int, patience: float, gamma: float) -> NDArray[np.float64]:
    """1, until the run reacts."""
    return np.ones_like(s)


def reaction(patience: int, gamma: float) -> Reaction:
    """After `patience` evaluations (one an epoch) without a new best: η ← γη, back to the best parameters, no moments.

    torch's ReduceLROnPlateau calls `patience − 1` what is `patience` here, and goes on from where it is.
    """
    return Reaction(patience, gamma)


plateau = Schedule(
    "plateau",
    multiplier,
    own=(
        Hyperparameter(
            "patience",
            3,
            0.03,
            0.2,
            unit=Unit.EPOCHS,
            integer=True,
            minimum=1,
            meaning="evaluations, one an epoch, without a new best before it reacts",
        ),
        gamma(0.5, 0.1, 0.9, "factor of each cut"),
    ),
    formula="γ^(number of reactions so far); a reaction: `patience` evaluations without a new best held-out loss",
    reference="Denkowski & Neubig 2017",
    reaction=reaction,
    dash="8px,8px",
    symbol="star-square",
    arms=(
        KnownArm("momentum+plateau", "a cut of the rate, and back to the best, wherever validation gets no better"),
        KnownArm("adam+plateau", "C3: Denkowski and Neubig's annealing for Adam, with restarts from the best"),
    ),
)
