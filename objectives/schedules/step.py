"""Step decay: the rate is cut by a factor at regular intervals."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.relations import KnownArm, Native
from cooldown.objectives.schedule import ROUNDING, Schedule, gamma


def multiplier(s: NDArray[np.float64], total: int, every: float, gamma: float) -> NDArray[np.float64]:
    """γ^⌊s / every⌋."""
    return np.asarray(gamma ** np.floor(s / every + ROUNDING))


step = Schedule(
    "step",
    multiplier,
    own=(_schedule.every(), gamma(0.1, 0.01, 0.9, "factor of each cut")),
    formula="γ^⌊s / every⌋",
    reference="Robbins & Monro 1951, as practised",
    dash="dashdot",
    symbol="triangle-up",
    native={
        "torch": Native("StepLR", ("optimizer", "{every:whole} * updates_per_epoch", "gamma={gamma}")),
        "optax": Native(
            "exponential_decay", ("LEARNING_RATE", "{every:whole.0} * updates_per_epoch", "{gamma}", "staircase=True")
        ),
        "keras": Native(
            "ExponentialDecay", ("LEARNING_RATE", "{every:whole} * updates_per_epoch", "{gamma}", "staircase=True")
        ),
    },
    arms=(KnownArm("momentum+step", "C1: step annealing, which SGDR should match in fewer epochs"),),
)
