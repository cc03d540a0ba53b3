"""PED-ANOVA: how much each hyperparameter has to do with whether a trial is among the good ones.

Where the good trials are spread over a hyperparameter's range as all trials are, it does not matter; its importance is
the Pearson divergence between the two densities. These are estimated on a grid over the range, or over the choices of a
categorical hyperparameter, with a Gaussian kernel at every occupied cell and a wide one for the prior.

Source: Watanabe, Bansal & Hutter 2023, with the treatment of conditional hyperparameters as in Optuna 5, whose
`PedAnovaImportanceEvaluator` has the same numbers; importing it takes longer than reading a ledger.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 50
"""Of the grid over a range."""

FEWEST_TRIALS = 2
"""With a hyperparameter, for it to have an importance."""

PRIOR_WEIGHT = 1.0
"""Of the prior's kernel, in trials."""

NARROWEST = 0.5 / 1.64
"""The least width of a kernel, in cells: 90 % of it lie within its own cell."""

FLOOR = 1e-12
"""Added to each cell's probability, so that none is 0."""


@dataclass(frozen=True)
class Cells:
    """Where the values of one hyperparameter lie on its grid.

    cell: (n,) of each trial the cell that its value is in, from 0; −1 for a trial without the hyperparameter. count: of
    cells. ordered: whether neighbouring cells are alike, as those of a range are and choices are not.
    """

    cell: NDArray[np.int64]
    count: int
    ordered: bool


def cells_of_numbers(
    values: NDArray[np.float64], low: float, high: float, *, log: bool = False, integer: bool = False
) -> Cells:
    """The cells of values (n,) from `low` to `high`, NaN where a trial has none. log: whether the grid is evenly spaced
    on a log scale. integer: whether values are whole numbers, which have no more cells than there are of them.
    """
    known = ~np.isnan(values)
    cell = np.where(known, 0, -1)
    if low == high:
        return Cells(cell, 1, ordered=True)
    count = MOST_CELLS
    if integer:
        count = min(count, math.ceil(math.log(high - low + 1) / math.log(2)) + 1 if log else round(high - low) + 1)
    first, last = (math.log(low), math.log(high)) if log else (low, high)
    places = ((np.log(values[known]) if log else values[known]) - first) / ((last - first) / (count - 1))
    # A value halfway between two cells belongs to the lower one.
    cell[known] = np.clip(np.ceil(places - 0.5), 0, count - 1)
    return Cells(cell, count, ordered=True)


def cells_of_choices(values: Sequence[Any], choices: Sequence[Any]) -> Cells:
    """The cells of categorical values (n,), a cell for each choice; None where a trial has none."""
    return Cells(np.array([-1 if v is None else choices.index(v) for v in values], np.int64), len(choices), False)


def best_share(losses: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """(n,) whether a trial is among the best `share`, of (0, 1], of losses (n,); equals of the last one are too."""
    return np.asarray(losses <= np.sort(losses)[math.ceil(share * losses.size) - 1])


def pearson_importance(tried: Cells, good: NDArray[np.bool_]) -> float:
    """The importance of one hyperparameter for being among the `good` (n,) trials, at least one of them; 0 and more.

    One that only some trials have, as in a joint arm, counts as far as it is theirs.
    """
    having = tried.cell >= 0
    among_all, among_good = (np.bincount(tried.cell[which], minlength=tried.count) for which in (having, having & good))
    if tried.count == 1 or among_all.sum() < FEWEST_TRIALS or not among_good.any():
        return 0.0
    of_all, of_good = (_density(counts, tried.ordered) + FLOOR for counts in (among_all, among_good))
    divergence = float(of_all @ (of_good / of_all - 1) ** 2)
    return float((having & good).mean() ** 2 / having.mean() * divergence)


def _density(counts: NDArray[np.int64], ordered: bool) -> NDArray[np.float64]:
    """(cells,) the probability of each cell, by a Parzen estimator of `counts` (cells,)."""
    occupied = np.flatnonzero(counts)
    weights = np.append(counts[occupied], PRIOR_WEIGHT)
    kernels = _gaussians(counts, occupied) if ordered else _categories(counts.size, occupied)
    return np.asarray(weights / weights.sum() @ kernels, np.float64)


def _gaussians(counts: NDArray[np.int64], occupied: NDArray[np.int64]) -> NDArray[np.float64]:
    """(occupied + 1, cells) the kernels of a range, the prior's last: Gaussians cut off at its ends, which have the
    width of Scott's rule.
    """
    from scipy.special import ndtr

    weights = counts[occupied]
    total, reached = int(weights.sum()), np.cumsum(weights)
    mean = occupied @ weights / total
    deviation = np.sqrt((occupied - mean) ** 2 @ weights / max(1, total - 1))
    first = occupied[np.searchsorted(reached, total // 4, side="left")]
    third = occupied[np.minimum(np.searchsorted(reached, total * 3 // 4, side="right"), occupied.size - 1)]
    width = 1.059 * min((third - first) / 1.34, deviation) * total**-0.2
    centres = np.append(occupied, (counts.size - 1) / 2)
    widths = np.append(np.full(occupied.size, max(width, NARROWEST)), counts.size)
    below = ndtr((np.arange(counts.size + 1) - 0.5 - centres[:, None]) / widths[:, None])
    return np.asarray(np.diff(below) / (below[:, -1:] - below[:, :1]), np.float64)


def _categories(choices: int, occupied: NDArray[np.int64]) -> NDArray[np.float64]:
    """(occupied + 1, choices) the kernels of a categorical hyperparameter, the prior's last: mostly one choice."""
    kernels = np.full((occupied.size + 1, choices), PRIOR_WEIGHT / (occupied.size + 1))
    kernels[np.arange(occupied.size), occupied] += 1
    return np.asarray(kernels / kernels.sum(axis=1, keepdims=True), np.float64)
