"""Cosine annealing: the annealing half of SGDR."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int, floor: float) -> NDArray[np.float64]:
    """floor + (1 − floor)·½(1 + cos(π s/T))."""
    return floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * np.minimum(s / total, 1.0)))


cosine = Schedule(
    "cosine",
    multiplier,
    own=(_schedule.floor(),),
    formula="floor + (1 − floor)·½(1 + cos(π s/T))",
    reference="Loshchilov & Hutter 2017 (SGDR), without restarts",
)
