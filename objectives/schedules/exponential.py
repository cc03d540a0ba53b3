"""Exponential decay to a given final fraction."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.relations import Native
from cooldown.objectives.schedule import Schedule, gamma


def multiplier(s: NDArray[np.float64], total: int, gamma: float) -> NDArray[np.float64]:
    """γ^(s/T): the fraction γ of the base rate is reached at the end of the run."""
    return np.asarray(gamma ** (s / total))


exponential = Schedule(
    "exponential",
    multiplier,
    own=(gamma(0.01, 1e-4, 0.5, "final fraction of the base rate"),),
    formula="γ^(s/T)",
    reference="Robbins & Monro 1951, as practised",
    dash="longdash",
    symbol="triangle-down",
    native={
        "torch": Native("ExponentialLR", ("optimizer", "{gamma} ** (1 / total)")),
        "optax": Native("exponential_decay", ("LEARNING_RATE", "total", "{gamma}")),
        "keras": Native("ExponentialDecay", ("LEARNING_RATE", "total", "{gamma}")),
    },
)
