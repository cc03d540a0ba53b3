"""Inverse-time decay: Robbins and Monro's annealing."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.relations import KnownArm, Native
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int, decay: float) -> NDArray[np.float64]:
    """1 / (1 + k s/T): 1/(1 + k) of the base rate at the end of the run."""
    return 1 / (1 + decay * s / total)


inverse_time = Schedule(
    "inverse_time",
    multiplier,
    own=(Hyperparameter("decay", 9.0, 1.0, 1000.0, Scale.LOG, meaning="k: the rate ends at 1/(1 + k) of its base"),),
    formula="1 / (1 + k s/T)",
    reference="Robbins & Monro 1951",
    dash="6px,2px",
    symbol="triangle-right",
    native={
        "keras": Native("InverseTimeDecay", ("LEARNING_RATE", "total", "{decay}")),
    },
    arms=(KnownArm("sgd+inverse_time", "C12: plain SGD with Robbins and Monro's annealing"),),
)
