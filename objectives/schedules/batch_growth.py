"""Batch growth: the rate stays constant, and the batch grows where `step` would cut the rate."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedule as _schedule
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.schedule import ROUNDING, Schedule, gamma


def multiplier(s: NDArray[np.float64], total: int, every: float, gamma: float, limit: float) -> NDArray[np.float64]:
    """1: only the batch size changes."""
    return np.ones_like(s)


def batch(passed: float, batch_size: int, n_rows: int, every: float, gamma: float, limit: float) -> tuple[int, float]:
    """`batch_size` / γ^⌊passed / every⌋ rows.

    The ratio of rate to batch size is that of `step` with the same settings, except in an epoch's last batch, which
    holds the remaining rows. A batch has at most `limit`·n rows; beyond that the rate is cut, as in the paper.
    """
    fraction = float(gamma ** np.floor(passed / every + ROUNDING))
    largest = max(limit * n_rows, batch_size)
    if batch_size <= fraction * largest:
        return round(batch_size / fraction), 1.0
    return round(largest), fraction * largest / batch_size


batch_growth = Schedule(
    "batch_growth",
    multiplier,
    own=(
        _schedule.every(),
        gamma(0.1, 0.01, 0.9, "factor by which `step` would cut the rate"),
        Hyperparameter(
            "limit",
            1.0,
            0.1,
            1.0,
            searched=False,
            maximum=1,
            open_minimum=True,
            meaning="largest batch as a share of the training rows; beyond it the rate is cut",
        ),
    ),
    formula="1; batch_size / γ^⌊epochs / every⌋ rows per update",
    reference="Smith, Kindermans, Ying & Le 2017",
    batch=batch,
    dash="longdashdot",
    symbol="pentagon",
    arms=(KnownArm("momentum+batch_growth", "C5: the batch grows where momentum+step cuts the rate"),),
)
