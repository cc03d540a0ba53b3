"""Who deserves the credit for a lower loss: the optimizer, the schedule or the tuning, and what only they do together.

The evidence is the full factorial {optimizer} × {constant, annealed} × {default, tuned}, each cell run in each repeat.
`factorial_effects` splits it into its seven effects, `factorial_shares` divides it among the three factors; `gains` is
the plain before-and-after of a single step. Everything is computed within a repeat first, so what a whole repeat
shares, such as a hard split of the data, cancels.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import Interval, mean_interval

FACTORS = ("optimizer", "schedule", "tuning")


def factorial_effects(cells: NDArray[np.float64]) -> dict[str, Interval]:
    """The seven effects of the 2³ factorial and its total, each with its 95 % t interval over repeats.

    cells: (2, 2, 2, repeats) test loss; axes are optimizer (a reference, the other), schedule (constant, annealed),
    tuning (default, tuned) and repeat. Effects are in the unit of the loss; negative is a lower loss.

    Keys: the main effects "optimizer", "schedule", "tuning", each the mean loss at the second level less that at the
    first; the interactions "optimizer × schedule", "optimizer × tuning", "schedule × tuning", each half of how much one
    factor's effect changes between the levels of the other; "optimizer × schedule × tuning", by the same rule half of
    how much an interaction of two changes between the levels of the third; and "total", the last cell less the first,
    cells[1, 1, 1] − cells[0, 0, 0]. All but "total" are a signed sum of the eight cells / 4.

    In every repeat, and so for the estimates, optimizer + schedule + tuning + optimizer × schedule × tuning = total
    exactly, up to rounding: a product of two signs is +1 in both the first and the last cell and drops out. The
    intervals do not add up so.

    Raises ValueError for another shape, fewer than 2 repeats, or a loss that is NaN or infinite.
    Source: Box, Hunter & Hunter 2005, Statistics for Experimenters, 2^k factorial designs.
    """
    _check_cells("factorial_effects", cells)
    signs = np.array([-1.0, 1.0])
    effects = {}
    for order in (1, 2, 3):
        for axes in combinations(range(3), order):
            contrast = np.ones((2, 2, 2, 1))
            for axis in axes:
                contrast = contrast * np.expand_dims(signs, tuple({0, 1, 2, 3} - {axis}))
            per_repeat = (contrast * cells).sum(axis=(0, 1, 2)) / 4
            effects[" × ".join(FACTORS[axis] for axis in axes)] = mean_interval(per_repeat)
    effects["total"] = mean_interval(cells[1, 1, 1] - cells[0, 0, 0])
    return effects


def factorial_shares(cells: NDArray[np.float64]) -> dict[str, Interval]:
    """What of the total, cells[1, 1, 1] − cells[0, 0, 0], each factor accounts for, with its 95 % t interval.

    cells: as for `factorial_effects`, and the same errors. Each is the factor's Shapley value: the mean, over all
    orders in which the three could be changed one after the other, of what changing it brings. The three add up to the
    total in every repeat. Keys: "optimizer", "schedule", "tuning". Source: Shapley 1953.
    """
    _check_cells("factorial_shares", cells)
    shares = {}
    for axis, name in enumerate(FACTORS):
        # What changing this factor brings, with the other two at their first or second level.
        steps = np.diff(np.moveaxis(cells, axis, 0), axis=0)[0]
        per_repeat = (2 * steps[0, 0] + steps[0, 1] + steps[1, 0] + 2 * steps[1, 1]) / 6
        shares[name] = mean_interval(per_repeat)
    return shares


def tuned_effects(cells: NDArray[np.float64]) -> dict[str, Interval]:
    """What the optimizer and the schedule do to the loss once everything is tuned, each with its 95 % t interval.

    cells: as for `factorial_effects`, and the same errors. Each is the second level less the first, as the mean over
    the levels of the other. Keys: "optimizer", "schedule".
    """
    _check_cells("tuned_effects", cells)
    tuned = cells[:, :, 1]
    return {
        "optimizer": mean_interval((tuned[1] - tuned[0]).mean(axis=0)),
        "schedule": mean_interval((tuned[:, 1] - tuned[:, 0]).mean(axis=0)),
    }


def gains(before: NDArray[np.float64], after: NDArray[np.float64]) -> Interval:
    """The mean of after − before, paired by repeat, with its 95 % t interval; negative is a lower loss.

    before, after: (repeats,) test loss, at least 2 repeats. Raises ValueError for fewer, for unequal shapes, or for a
    loss that is NaN or infinite.
    """
    if before.ndim != 1 or before.shape != after.shape or len(before) < 2:
        rule = "both must have one shape (repeats,) with at least 2 repeats"
        raise ValueError(f"gains(before=..., after=...): {rule}, got {before.shape} and {after.shape}")
    _check_finite("gains", "before", before)
    _check_finite("gains", "after", after)
    return mean_interval(after - before)


def _check_cells(call: str, cells: NDArray[np.float64]) -> None:
    if cells.ndim != 4 or cells.shape[:3] != (2, 2, 2) or cells.shape[3] < 2:
        rule = "cells must have shape (2, 2, 2, repeats) with at least 2 repeats"
        raise ValueError(f"{call}(cells=...): {rule}, got {cells.shape}")
    _check_finite(call, "cells", cells)


def _check_finite(call: str, name: str, losses: NDArray[np.float64]) -> None:
    if not np.isfinite(losses).all():
        wrong = int((~np.isfinite(losses)).sum())
        raise ValueError(f"{call}({name}=...): losses must be finite, got {wrong} NaN or infinite of {losses.size}")
