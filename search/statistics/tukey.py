"""Tukey's studentized range, whose quantiles make the intervals of all pairs of arms hold at once.

`scipy.stats.studentized_range` has the same numbers. Importing it takes longer than reading a ledger, and one quantile
of it takes half a second; here both integrals are sums over fixed nodes, which takes milliseconds.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_quantiles

NODES = 96
"""Of each integral."""

REACH = 8.0
"""Standard deviations beyond which a normal variable is not followed."""

NEGLIGIBLE = 1e-13
"""The probability of both tails of the standard deviation's distribution that are left out."""

HALVINGS = 44
"""Of the interval in which a quantile is looked for."""


@lru_cache(maxsize=256)
def studentized_range_quantile(probability: float, groups: int, degrees: float) -> float:
    """The value q below which the range of `groups` independent normal means, in units of their estimated standard
    error, falls with `probability`, of (0, 1). groups: at least 2. degrees: of freedom of that estimate, at least 1, or
    infinite where it is known, as of ranks.

    Raises ValueError for numbers outside these ranges. Source: Tukey 1953.
    """
    call = "studentized_range_quantile"
    if not 0 < probability < 1:
        raise ValueError(f"{call}(probability={probability}): must be between 0 and 1, got {probability}")
    if groups < 2 or degrees < 1:
        raise ValueError(f"{call}: needs at least 2 groups and 1 degree of freedom, got {groups} and {degrees}")
    if groups == 2:
        # The range of two is the absolute value of their difference: Student's t, without a sum.
        return float(np.sqrt(2) * t_quantiles((1 + probability) / 2, degrees))
    scale, weights = _standard_deviations(degrees)
    low, high = 0.0, 8.0
    while float(weights @ _range_probability(high * scale, groups)) < probability:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if float(weights @ _range_probability(middle * scale, groups)) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _range_probability(widths: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """(n,) the probability that the range of `groups` standard normal variables is at most each of `widths` (n,):
    k ∫ φ(z) [Φ(z) − Φ(z − w)]^(k − 1) dz, over the largest of them, z.
    """
    from scipy.special import ndtr

    z, weights = _nodes(-REACH, REACH)
    density = weights * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    below = ndtr(z) - ndtr(z - widths[:, None])
    return np.asarray(groups * below ** (groups - 1) @ density, np.float64)


def _standard_deviations(degrees: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values (n,) of an estimated standard deviation whose truth is 1, and their weights (n,), which add up to 1."""
    from scipy.special import chdtri, gammaln

    if np.isinf(degrees):
        return np.ones(1), np.ones(1)
    low, high = (float(np.sqrt(chdtri(degrees, tail) / degrees)) for tail in (1 - NEGLIGIBLE, NEGLIGIBLE))
    s, weights = _nodes(low, high)
    half = degrees / 2
    log_density = np.log(2) + half * np.log(half) - gammaln(half) + (degrees - 1) * np.log(s) - half * s**2
    weights = weights * np.exp(log_density)
    return s, weights / weights.sum()


@lru_cache(maxsize=1)
def _legendre() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return np.asarray(nodes, np.float64), np.asarray(weights, np.float64)


def _nodes(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of Gauss and Legendre's sum for an integral from `low` to `high`."""
    nodes, weights = _legendre()
    return (high + low) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights
