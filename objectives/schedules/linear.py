"""Linear decay to a floor."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.relations import Native
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int, floor: float) -> NDArray[np.float64]:
    """floor + (1 − floor)(1 − s/T)."""
    return floor + (1 - floor) * np.maximum(1 - s / total, 0.0)


linear = Schedule(
    "linear",
    multiplier,
    own=(_schedule.floor(),),
    formula="floor + (1 − floor)(1 − s/T)",
    reference="Bottou 2012, as practised",
    dash="12px,3px,2px,3px,2px,3px",
    symbol="cross",
    native={
        "torch": Native("LinearLR", ("optimizer", "1.0", "{floor}", "total")),
        "optax": Native("linear_schedule", ("LEARNING_RATE", "{floor:rate}", "total")),
        "keras": Native("PolynomialDecay", ("LEARNING_RATE", "total", "{floor:rate}")),
    },
)
