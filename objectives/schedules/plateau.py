"""Plateau: when the held-out loss stops improving, cut the rate and continue from the best parameters."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Hyperparameter, Unit
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import Reaction, Schedule, gamma


def multiplier(s: NDArray[np.float64], total: int, patience: float, gamma: float) -> NDArray[np.float64]:
    """1, until the run reacts."""
    return np.ones_like(s)


def reaction(patience: int, gamma: float) -> Reaction:
    """After `patience` evaluations (one per epoch) without a new best: η ← γη, best parameters, state reset.

    torch's ReduceLROnPlateau reacts one epoch later for the same `patience`, and continues from the current parameters.
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
            meaning="epochs without a new best before it reacts",
        ),
        gamma(0.5, 0.1, 0.9, "factor of each cut"),
    ),
    formula="γ^(number of reactions so far); a reaction: `patience` evaluations without a new best held-out loss",
    reference="Denkowski & Neubig 2017",
    reaction=reaction,
    dash="8px,8px",
    symbol="star-square",
    arms=(
        KnownArm(
            "momentum+plateau",
            "cuts the rate, from the best parameters, when validation stops improving",
        ),
        KnownArm("adam+plateau", "C3: Denkowski and Neubig's annealing for Adam, restarting from the best"),
    ),
)
