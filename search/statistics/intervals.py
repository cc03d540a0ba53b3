"""Intervals over repeats: the t interval of a mean, and Welch's for a difference of two.

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

    degrees: degrees of freedom, which for Welch's need not be whole. repeats: the repeats behind it, of the arm with
    fewer.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    degrees: float
    repeats: int


def mean_interval(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The t interval for the mean of `values` (repeats,), at least two of them.

    Given paired differences this is the interval of the paired t test. Source: Student 1908.
    """
    n = len(values)
    if n < 2:
        raise ValueError(f"mean_interval(values=...): an interval needs at least 2 repeats, got {n}")
    return _interval(float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(n)), n - 1, n, confidence)


def welch_interval(a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval:
    """The interval for mean(a) − mean(b) of unpaired a (n,) and b (m,), at least two of each.

    The variances may differ. Source: Welch 1947, with Satterthwaite's degrees of freedom.
    """
    n = min(len(a), len(b))
    if n < 2:
        raise ValueError(f"welch_interval(a=..., b=...): an interval needs at least 2 repeats of both, got {n}")
    parts = np.array([np.var(each, ddof=1) / len(each) for each in (a, b)])
    error = float(np.sqrt(parts.sum()))
    # Without any spread the degrees of freedom are 0/0, and do not matter.
    shares = parts / parts.sum() if error else np.array([0.5, 0.5])
    degrees = 1 / float((shares**2 / (np.array([len(a), len(b)]) - 1)).sum())
    return _interval(float(np.mean(a) - np.mean(b)), error, degrees, n, confidence)


def _interval(estimate: float, error: float, degrees: float, repeats: int, confidence: float) -> Interval:
    half = float(t_quantiles((1 + confidence) / 2, degrees)) * error
    return Interval(estimate, estimate - half, estimate + half, error, degrees, repeats)
