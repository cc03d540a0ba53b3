"""`Scale`: features scaled by their training rows; `standardized`: the targets of a regression, and the way back.

The numbers are those of scikit-learn's `StandardScaler`, to the last bit: fitted models have it, and importing it takes
longer than everything else before the first job of an experiment.
"""

from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import TargetUnits

Numbers = NDArray[np.float64]


class Scale(NamedTuple):
    """How d columns are scaled. mean, variance: (d,) those of the rows that it was made of. scale: (d,) their standard
    deviation; 1 for a column whose rows are equal up to rounding.
    """

    mean: Numbers
    variance: Numbers
    scale: Numbers

    @classmethod
    def of(cls, rows: Numbers) -> Self:
        """The scale by which the rows (n, d), finite numbers, have mean 0 and variance 1."""
        # The order in memory is that of the sums.
        rows = np.ascontiguousarray(rows)
        n, precision = len(rows), np.finfo(np.float64).eps
        mean = rows.sum(axis=0) / n
        centred = rows - mean
        rounding = centred.sum(axis=0)
        centred **= 2
        variance = (centred.sum(axis=0) - rounding**2 / n) / n
        constant = variance <= n * precision * variance + (n * mean * precision) ** 2
        return cls(mean, variance, np.where(constant, 1.0, np.sqrt(variance)))

    def transform(self, rows: Numbers) -> Numbers:
        """(m, d) the scaled rows."""
        scaled = rows - self.mean
        scaled /= self.scale
        return scaled


class Unscaled:
    """Columns as they are, in the place of a `Scale`."""

    def transform(self, rows: Numbers) -> Numbers:
        """(m, d) the rows themselves."""
        return rows


def standardized(targets: Numbers, n: int, *, log: bool = False, shared: bool = False) -> tuple[Numbers, TargetUnits]:
    """Targets (rows, K), each centred and scaled to a variance of 1 over the first `n` rows, the training rows; and
    their units. All other rows are held out. log: whether the targets are logarithms of those in their own units.
    shared: whether all have one scale, by which their mean variance is 1.
    """
    own = Scale.of(targets[:n])
    # A target's own scale is 1 where all training rows are equal.
    scale = np.sqrt(own.variance.mean(keepdims=True)) if shared and targets.shape[1] > 1 else own.scale
    units, scaled = TargetUnits(own.mean, scale, log=log), np.asarray((targets - own.mean) / scale)
    if n == len(targets):
        return scaled, units
    return scaled, replace(units, uninformed=units.errors(np.zeros_like(scaled[n:]), scaled[n:]))
