"""Inverse square root: a linear ramp to the base rate, then a decay with the inverse root of the updates."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import WARMUP_STEPS, Schedule


def multiplier(s: NDArray[np.float64], total: int, warmup_steps: int) -> NDArray[np.float64]:
    """min((s+1)/W, √(W/(s+1))): `noam` in units of its peak, which is at the last update of the warm-up."""
    return np.minimum((s + 1) / warmup_steps, np.sqrt(warmup_steps / (s + 1)))


inverse_sqrt = Schedule(
    "inverse_sqrt",
    multiplier,
    own=(),
    formula="min((s+1)/W, √(W/(s+1))), W = warmup_steps",
    reference="Vaswani et al. 2017, in units of its peak",
    warmup=replace(
        WARMUP_STEPS,
        default=100,
        low=0.01,
        minimum=1,
        meaning="length W of the linear ramp, after which the decay begins",
    ),
    ramped=False,
    starts_at_peak=False,
    dash="14px,3px",
    symbol="triangle-left",
    arms=(KnownArm("adam+inverse_sqrt", "the same shape as noam, in units of its peak and with Adam's usual ranges"),),
)
