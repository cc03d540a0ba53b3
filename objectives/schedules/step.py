"""Step decay: the rate is cut by a factor at regular intervals."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
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
)
