"""Ranks, and whether one thing falls as another rises."""

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_probability


def mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) ranks of values (n,) from 1, the smallest, to n; the mean rank for equals. No value may be NaN."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def falling_p_value(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The p-value of Spearman's rank correlation against "y does not fall as x rises": small where it does.

    x, y: (n,), at least 3 of them, neither with NaN. 1 where all x or all y are equal. By the t distribution with n − 2
    degrees of freedom. Source: Spearman 1904.
    """
    if x.min() == x.max() or y.min() == y.max():
        return 1.0
    correlation = float(np.corrcoef(mean_ranks(x), mean_ranks(y))[0, 1])
    if abs(correlation) >= 1:
        return float(correlation > 0)
    degrees = len(x) - 2
    return t_probability(correlation * np.sqrt(degrees / ((correlation + 1) * (1 - correlation))), degrees)
