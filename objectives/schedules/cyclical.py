"""Cyclical rates: the rate rises and falls repeatedly between a base and a peak."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Categorical, Hyperparameter, Scale, Unit
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import ROUNDING, Schedule, gamma


def multiplier(
    s: NDArray[np.float64], total: int, period: float, mode: str, gamma: float, floor: float
) -> NDArray[np.float64]:
    """floor + (1 − floor)·triangle(s)·scale(s): the base learning rate is the peak.

    The paper's step size is half a period. The scale is 1 (triangular), halved in each cycle (triangular2), or γ^(s/T)
    (exp_range; the paper's γ is per update).
    """
    cycle = np.floor(s / period + ROUNDING)
    within = np.clip(s / period - cycle, 0.0, 1.0)
    triangle = 1 - np.abs(2 * within - 1)
    match mode:
        case "triangular2":
            triangle = triangle * 0.5**cycle
        case "exp_range":
            triangle = triangle * gamma ** (s / total)
    return np.asarray(floor + (1 - floor) * triangle)


cyclical = Schedule(
    "cyclical",
    multiplier,
    own=(
        Hyperparameter(
            "period",
            10.0,
            0.1,
            1.0,
            Scale.LOG,
            Unit.EPOCHS,
            open_minimum=True,
            meaning="length of a cycle, up and down",
        ),
        Categorical(
            "mode", "triangular", ("triangular", "triangular2", "exp_range"), meaning="how the peaks change over time"
        ),
        replace(gamma(0.01, 1e-4, 0.5, "final fraction of the peak, for exp_range"), searched=False),
        Hyperparameter("floor", 0.25, 0.0, 0.5, maximum=1, meaning="fraction of the peak where each cycle begins"),
    ),
    formula="floor + (1 − floor)·(1 − |2u − 1|)·scale, u = s/period mod 1; scale 1, 2^−⌊s/period⌋ or γ^(s/T)",
    reference="Smith 2017",
    starts_at_peak=False,
    dash="2px,7px",
    symbol="triangle-ne",
    arms=(KnownArm("momentum+cyclical", "Smith's cyclical rates"),),
)
