"""A constant learning rate."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.relations import Native
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int) -> NDArray[np.float64]:
    """1."""
    return np.ones_like(s)


constant = Schedule(
    "constant",
    multiplier,
    own=(),
    formula="1",
    reference="",
    constant=True,
    dash="solid",
    symbol="circle",
    native={
        "optax": Native(
            "warmup_constant_schedule", ("LEARNING_RATE / WARMUP_STEPS", "LEARNING_RATE", "WARMUP_STEPS - 1.0")
        ),
    },
)
