"""One effect from those of several tasks: a random-effects mean with Hartung and Knapp's interval.

Tasks differ in how large an effect is, so the interval is of the mean over tasks like these, not of one effect that all
share. Their number, a handful, decides its width, not that of the repeats behind each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import CONFIDENCE
from cooldown.search.statistics.student import t_quantiles


@dataclass(frozen=True)
class Pooled:
    """The mean effect over `groups` tasks with its interval; all in the effects' unit, but for shares and counts.

    tau: the standard deviation of true effects between tasks. spread_low, spread_high: between which the true effect of
    one more such task lies, at the same confidence; None for fewer than three tasks. inconsistency: I², the share of
    the variation that is between tasks and not within. q: Cochran's statistic, on groups − 1 degrees of freedom.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    groups: int
    tau: float
    inconsistency: float
    q: float
    spread_low: float | None
    spread_high: float | None


def random_effects(effects: NDArray[np.float64], errors: NDArray[np.float64], confidence: float = CONFIDENCE) -> Pooled:
    """The mean of `effects` (tasks,), whose standard errors are `errors` (tasks,), all above 0; at least two tasks.

    The variance between tasks is DerSimonian and Laird's. The standard error is Hartung and Knapp's, with Student's t
    on tasks − 1 degrees of freedom; where the effects happen to agree better than their errors allow, it is not made
    smaller for it (Knapp and Hartung's own modification). The spread is Higgins, Thompson and Spiegelhalter's
    prediction interval. Raises ValueError for other shapes and values.

    Sources: DerSimonian and Laird 1986; Hartung and Knapp 2001; Knapp and Hartung 2003; Higgins et al. 2009.
    """
    call, groups = "random_effects(effects=..., errors=...)", len(effects)
    if effects.shape != errors.shape or effects.ndim != 1 or groups < 2:
        raise ValueError(f"{call}: needs two arrays of at least 2 tasks, got shapes {effects.shape} and {errors.shape}")
    if not (np.isfinite(effects).all() and np.isfinite(errors).all() and (errors > 0).all()):
        raise ValueError(f"{call}: effects must be finite and errors above 0, got {effects} and {errors}")
    fixed = errors**-2.0
    common = float(fixed @ effects / fixed.sum())
    q, degrees = float(fixed @ (effects - common) ** 2), groups - 1
    between = max(0.0, (q - degrees) / float(fixed.sum() - (fixed**2).sum() / fixed.sum()))
    weights = 1 / (errors**2 + between)
    estimate = float(weights @ effects / weights.sum())
    scale = max(1.0, float(weights @ (effects - estimate) ** 2) / degrees)
    error = float(np.sqrt(scale / weights.sum()))
    half = float(t_quantiles((1 + confidence) / 2, degrees)) * error
    spread = None
    if groups > 2:
        spread = float(t_quantiles((1 + confidence) / 2, degrees - 1)) * float(np.sqrt(between + error**2))
    return Pooled(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        standard_error=error,
        groups=groups,
        tau=float(np.sqrt(between)),
        inconsistency=max(0.0, 1 - degrees / q) if q > 0 else 0.0,
        q=q,
        spread_low=None if spread is None else estimate - spread,
        spread_high=None if spread is None else estimate + spread,
    )
