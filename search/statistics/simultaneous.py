"""What makes decisions about several pairs of arms hold together: Tukey's intervals, and Holm's levels.

Tukey's need a complete layout, a number for every arm in every repeat. Where numbers are missing, pairs are decided one
after the other at Holm's levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import Interval
from cooldown.search.statistics.student import t_probability
from cooldown.search.statistics.tukey import studentized_range_quantile


@dataclass(frozen=True)
class Layout:
    """The two-way layout arms × repeats: what is left of each number without its arm's and its repeat's mean.

    error: the standard error of an arm's mean, from these residuals. degrees: their degrees of freedom.
    """

    arms: int
    error: float
    degrees: int

    def half_width(self, level: float) -> float:
        """Half the width of the intervals for the differences of all pairs of arms, which hold at once but for `level`.
        Source: Tukey 1953, in randomized blocks.
        """
        return studentized_range_quantile(1 - level, self.arms, self.degrees) * self.error

    def level_of_one(self, level: float) -> float:
        """The error rate of one such interval by itself."""
        width = studentized_range_quantile(1 - level, self.arms, self.degrees) / np.sqrt(2)
        return 2 * t_probability(-float(width), self.degrees)


def two_way(values: NDArray[np.float64]) -> Layout:
    """The layout of `values` (arms, repeats), at least two of each; raises ValueError for fewer."""
    arms, repeats = values.shape
    if min(arms, repeats) < 2:
        raise ValueError(f"two_way(values=...): needs at least 2 arms and 2 repeats, got {arms} and {repeats}")
    residuals = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    degrees = (arms - 1) * (repeats - 1)
    return Layout(arms, float(np.sqrt((residuals**2).sum() / degrees / repeats)), degrees)


def p_value(interval: Interval) -> float:
    """The two-sided p-value of a mean of 0."""
    if interval.standard_error == 0:
        return 1.0 if interval.estimate == 0 else 0.0
    return 2 * t_probability(-abs(interval.estimate) / interval.standard_error, interval.degrees)


def holm_levels(p_values: Sequence[float], level: float) -> list[float]:
    """For each hypothesis the level that Holm's step-down procedure tests it at: level/m for the smallest p-value, then
    level/(m − 1), …; those after the first that is not rejected share its level, at which none of them is.

    Source: Holm 1979.
    """
    levels, left = [level] * len(p_values), len(p_values)
    stopped: float | None = None
    for index in np.argsort(p_values, kind="stable"):
        levels[index] = stopped or level / left
        if stopped is None and p_values[index] > levels[index]:
            stopped = levels[index]
        left -= 1
    return levels
