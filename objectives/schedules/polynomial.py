"""Polynomial decay to a floor."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.relations import Native
from cooldown.objectives.schedule import Schedule


def multiplier(s: NDArray[np.float64], total: int, power: float, floor: float) -> NDArray[np.float64]:
    """floor + (1 − floor)(1 − s/T)^p."""
    return np.asarray(floor + (1 - floor) * np.maximum(1 - s / total, 0.0) ** power)


polynomial = Schedule(
    "polynomial",
    multiplier,
    own=(
        Hyperparameter("power", 2.0, 0.5, 4.0, Scale.LOG, open_minimum=True, meaning="power p of the decay"),
        _schedule.floor(),
    ),
    formula="floor + (1 − floor)(1 − s/T)^p",
    reference="Bottou 2012, as practised",
    dash="14px,3px,6px,3px",
    symbol="hexagram",
    native={
        "torch": Native("PolynomialLR", ("optimizer", "total", "power={power}"), only={"floor": 0.0}),
        "optax": Native("polynomial_schedule", ("LEARNING_RATE", "{floor:rate}", "{power}", "total")),
        "keras": Native("PolynomialDecay", ("LEARNING_RATE", "total", "{floor:rate}", "power={power}")),
    },
)
