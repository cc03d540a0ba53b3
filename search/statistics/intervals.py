"""The t interval of a mean over repeats.

The unit of replication is the repeat, an independent study. Five or so are too few for a bootstrap, whose intervals are
too narrow there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_quantiles

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """A t interval around `estimate`; all in the unit of what was measured, but for the counts.

    degrees: degrees of freedom. repeats: the repeats behind it.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees: int
    repeats: int


def mean_interval(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The t interval for the mean of `values` (repeats,), at least two of them.

    Given paired differences this is the interval of the paired t test. Source: Student 1908.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"mean_interval(values=...): an interval needs at least 2 repeats, got {n}")
    estimate, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(n))
    half = float(t_quantiles((1 + confidence) / 2, n - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, error, n - 1, n)
