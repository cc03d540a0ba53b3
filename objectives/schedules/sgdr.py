"""SGDR: cosine annealing with warm restarts."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Hyperparameter, Scale, Unit
from cooldown.objectives.schedule import ROUNDING, Schedule


def multiplier(
    s: NDArray[np.float64], total: int, period: float, period_mult: float, floor: float
) -> NDArray[np.float64]:
    """The cosine within period i, of length period·period_multⁱ; at its end the rate restarts, the parameters go on."""
    if period_mult == 1:
        start = period * np.floor(s / period + ROUNDING)
        length = period
    else:
        # Period i starts at period·(mult^i − 1)/(mult − 1), and i is what solves this for s. Written with log1p and
        # expm1, both stay exact for a mult close to 1.
        growth = np.log1p(period_mult - 1)
        index = np.floor(np.log1p(s * (period_mult - 1) / period) / growth + ROUNDING)
        start = period * np.expm1(index * growth) / (period_mult - 1)
        length = period * period_mult**index
    within = np.clip((s - start) / length, 0.0, 1.0)
    return floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * within))


sgdr = Schedule(
    "sgdr",
    multiplier,
    own=(
        Hyperparameter(
            "period", 10.0, 0.1, 1.0, Scale.LOG, Unit.EPOCHS, open_minimum=True, meaning="length T₀ of the first period"
        ),
        Hyperparameter(
            "period_mult", 2.0, 1.0, 3.0, minimum=1, meaning="factor by which each period is longer than the last"
        ),
        _schedule.floor(),
    ),
    formula="floor + (1 − floor)·½(1 + cos(π s_i/T_i)), T_i = T₀·multⁱ",
    reference="Loshchilov & Hutter 2017",
)
