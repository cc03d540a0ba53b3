"""Noam: the Transformer's schedule. The model's width sets the size of the rate, and the base rate is a factor."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import WARMUP_STEPS, Schedule


def multiplier(s: NDArray[np.float64], total: int, d_model: float, warmup_steps: int) -> NDArray[np.float64]:
    """d_model^−½ · min((s+1)^−½, (s+1)·W^−1.5), as in the paper, where the base learning rate is 1."""
    return np.asarray(d_model**-0.5 * np.minimum((s + 1) ** -0.5, (s + 1) * warmup_steps**-1.5))


noam = Schedule(
    "noam",
    multiplier,
    own=(
        Hyperparameter(
            "d_model", 512.0, 16.0, 1024.0, Scale.LOG, searched=False, minimum=1, meaning="width of the model"
        ),
    ),
    formula="d_model^−½ · min((s+1)^−½, (s+1)·W^−1.5), W = warmup_steps",
    reference="Vaswani et al. 2017",
    warmup=replace(
        WARMUP_STEPS,
        default=4000,
        low=0.01,
        minimum=1,
        meaning="length W of the linear ramp, after which the decay begins",
    ),
    ramped=False,
    # For a warm-up of some hundred updates: 1/√(512·176).
    peak=1 / 300,
    starts_at_peak=False,
    dash="3px,8px",
    symbol="hexagon",
    arms=(
        KnownArm(
            "adam+noam",
            "the Transformer's: β₂ 0.98, ε 1e-9, a warm-up, then an inverse square root decay",
            {"adam.beta1": 0.9, "adam.beta2": 0.98, "adam.epsilon": 1e-9},
        ),
    ),
)
