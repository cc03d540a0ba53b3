"""Cosine annealing: the annealing half of SGDR."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.relations import KnownArm, Native
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
    dash="dash",
    symbol="diamond",
    native={
        "torch": Native("CosineAnnealingLR", ("optimizer", "total", "eta_min={floor:rate}")),
        "optax": Native("cosine_decay_schedule", ("LEARNING_RATE", "total", "alpha={floor}")),
        "keras": Native("CosineDecay", ("LEARNING_RATE", "total", "alpha={floor}")),
    },
    arms=(
        KnownArm("momentum+cosine", "C2: tuned SGD with annealing is competitive with Adam"),
        KnownArm("adam+cosine", "C3: annealing helps Adam too"),
    ),
)
