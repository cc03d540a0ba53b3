"""The best validation loss as a function of the search budget: what k trials buy, and from which k one arm is ahead.

A single best loss answers for one budget only. `expected_minimum` and `best_so_far` turn the trials of one repeat into
a curve over k = 1…K trials, the first where the trials are independent draws, the second where the sampler learns from
earlier ones; `per_repeat_curves` does so for every repeat. `budget_curve` averages them and adds what k trials cost,
`crossover` compares two arms. Intervals are pointwise: each k by itself, not the curve as a whole.

A diverged trial has loss inf, never NaN. It makes the expected minimum inf for as many k as it can be all that was
drawn, and leaves the rest of the curve finite.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import mean_interval


@dataclass(frozen=True)
class BudgetCurve:
    """The expected best validation loss of one arm, and the expected cost, after k trials.

    trials: (K,) the counts 1…K. expected: (K,) mean over repeats, in the loss's unit; inf where some repeat's is.
    low, high: (K,) its pointwise 95 % t interval, which does not go below 0 where no loss does; NaN with a single
    repeat and where `expected` is inf.
    gradient_evaluations, seconds: (K,) mean cumulative cost of k trials. repeats: the repeats behind each mean.
    """

    trials: NDArray[np.int64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    gradient_evaluations: NDArray[np.float64]
    seconds: NDArray[np.float64]
    repeats: int


@dataclass(frozen=True)
class Crossover:
    """From how many trials on, for every larger count within the budget, arm a's expected best lies below arm b's.

    trials: by the means over repeats. earliest, latest: the same asked of the lower and the upper end of the pointwise
    95 % t interval of the paired difference a − b, so that earliest ≤ trials ≤ latest where all are known. None: never
    within the budget; earliest and latest are None with a single repeat too, where there is no interval. last: the
    largest count at which a's mean lies below b's, whether or not it stays there; None if there is none.
    """

    trials: int | None
    earliest: int | None
    latest: int | None
    repeats: int
    last: int | None


def expected_minimum(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The unbiased estimate of the expected minimum of k independent trials, k = 1…n, from n observed ones.

    It is the mean minimum over all subsets of size k: E_k = Σ_i x_(i)·C(n−i, k−1)/C(n, k), with x_(1) ≤ … ≤ x_(n).
    E_1 is the mean, E_n the minimum, which is a single observation: the estimate is unbiased for every k, but the
    closer k comes to n, the noisier.

    losses: (n,) exchangeable trials' validation losses, inf where diverged. Returns (n,), in the loss's unit, never
    rising. Raises ValueError unless losses are one-dimensional, at least one, and neither NaN nor −inf.
    Source: Tang et al. 2020, the unbiased form of Dodge et al. 2019.
    """
    _check_losses("expected_minimum", "losses", losses, 1)
    n = len(losses)
    ordered = np.sort(losses)
    trials = np.arange(1, n + 1)
    n_finite = int(np.isfinite(ordered).sum())
    if n_finite == 0:
        return np.full(n, np.inf)
    # The sum is taken by parts: each step x_(i+1) − x_(i) counts with the share of subsets that hold none of the i
    # smallest, C(n−i, k)/C(n, k). Every term is then non-negative and falls with k, so that rounding can neither push
    # the curve below the minimum nor make it rise, and no binomial coefficient is formed that could overflow.
    above = np.zeros(n)
    share = np.ones(n)
    for i in range(1, n_finite):
        share = share[: n - i] * ((n - i + 1 - trials[: n - i]) / (n - i + 1))
        above[: n - i] += (ordered[i] - ordered[i - 1]) * share
    expected = ordered[0] + above
    # Set, not summed: a share that has underflowed to 0 would make 0 · inf of a small one.
    expected[: n - n_finite] = np.inf
    return np.asarray(expected, dtype=np.float64)


def best_so_far(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """The running minimum: the best loss after each trial, in the order in which they were run.

    It is for a sampler that learns from earlier trials: these are not exchangeable, so no subset of them stands for a
    shorter search. losses: (n,) validation losses, inf where diverged. Returns (n,), in the loss's unit. Raises
    ValueError unless losses are one-dimensional, at least one, and neither NaN nor −inf.
    """
    _check_losses("best_so_far", "losses", losses, 1)
    return np.asarray(np.minimum.accumulate(losses), dtype=np.float64)


def per_repeat_curves(losses: NDArray[np.float64], independent: bool) -> NDArray[np.float64]:
    """Each repeat's best loss after k trials, k = 1…K: (repeats, K), in the loss's unit.

    losses: (repeats, K) validation losses in the order of the trials, inf where diverged. independent: whether a
    repeat's trials are independent draws, which `expected_minimum` needs; else `best_so_far`. Raises ValueError unless
    losses are two-dimensional, not empty, and neither NaN nor −inf.
    """
    _check_losses("per_repeat_curves", "losses", losses, 2)
    curve = expected_minimum if independent else best_so_far
    return np.array([curve(row) for row in losses])


def budget_curve(
    losses: NDArray[np.float64],
    gradient_evaluations: NDArray[np.float64],
    seconds: NDArray[np.float64],
    independent: bool,
) -> BudgetCurve:
    """The expected best loss and the expected cost after k trials, k = 1…K, over the repeats of one arm.

    losses: (repeats, K) validation losses in the order of the trials, inf where diverged. gradient_evaluations,
    seconds: (repeats, K) the cost of each trial by itself, finite and at least 0. independent: as for
    `per_repeat_curves`; k trials then cost k times the mean trial, else what the first k did. Raises ValueError where
    the shapes differ, an array is empty or a value is out of its range.
    """
    call = "budget_curve"
    _check_losses(call, "losses", losses, 2)
    for name, costs in (("gradient_evaluations", gradient_evaluations), ("seconds", seconds)):
        if costs.shape != losses.shape:
            raise ValueError(f"{call}({name}=...): must have the shape of losses, {losses.shape}, got {costs.shape}")
        wrong = costs[~(np.isfinite(costs) & (costs >= 0))]
        if wrong.size:
            raise ValueError(f"{call}({name}=...): costs must be finite and at least 0, got {wrong[0]}")
    repeats, budget = losses.shape
    curves = per_repeat_curves(losses, independent)
    low, high = np.full((2, budget), np.nan)
    known = np.isfinite(curves).all(axis=0)
    if repeats > 1:
        low[known], high[known] = _interval_ends(curves[:, known])
        if (losses >= 0).all():
            # A cross-entropy, a squared error or 1 − roc_auc cannot be negative.
            low = np.maximum(low, 0)
    return BudgetCurve(
        trials=np.arange(1, budget + 1),
        expected=curves.mean(axis=0),
        low=low,
        high=high,
        gradient_evaluations=_cumulative_cost(gradient_evaluations, independent),
        seconds=_cumulative_cost(seconds, independent),
        repeats=repeats,
    )


def crossover(a: NDArray[np.float64], b: NDArray[np.float64]) -> Crossover:
    """From how many trials on arm a's expected best loss stays below arm b's, to the end of the budget.

    a, b: (repeats, K) curves of `per_repeat_curves`; repeat i of both shares its data and its seed, so the interval is
    of the paired difference. Where a curve is inf the difference has no interval: nothing is ruled out there, for
    either arm. Raises ValueError unless both have one shape, two-dimensional and not empty, without NaN or −inf.
    """
    if a.shape != b.shape:
        raise ValueError(f"crossover(a=..., b=...): both must have one shape (repeats, K), got {a.shape} and {b.shape}")
    _check_losses("crossover", "a", a, 2)
    _check_losses("crossover", "b", b, 2)
    repeats, budget = a.shape
    known = (np.isfinite(a) & np.isfinite(b)).all(axis=0)
    difference = a[:, known] - b[:, known]
    below = a.mean(axis=0) < b.mean(axis=0)
    # The sign of the mean difference, which the interval is built around, so that rounding cannot set the two at odds.
    below[known] = difference.mean(axis=0) < 0
    if repeats == 1:
        return Crossover(_from_then_on(below), None, None, repeats, _last(below))
    low, high = np.full(budget, -np.inf), np.full(budget, np.inf)
    low[known], high[known] = _interval_ends(difference)
    return Crossover(_from_then_on(below), _from_then_on(low < 0), _from_then_on(high < 0), repeats, _last(below))


def _last(holds: NDArray[np.bool_]) -> int | None:
    """The largest k, counted from 1, at which `holds` (K,) is true."""
    found = np.flatnonzero(holds)
    return int(found[-1]) + 1 if found.size else None


def _from_then_on(holds: NDArray[np.bool_]) -> int | None:
    """The least k, counted from 1, from which on `holds` (K,) is true to the end; None where its end is false."""
    fails = np.flatnonzero(~holds)
    start = int(fails[-1]) + 2 if fails.size else 1
    return start if start <= len(holds) else None


def _interval_ends(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, K): the low and high end of each column's t interval, of finite values (repeats, K)."""
    intervals = [mean_interval(column) for column in values.T]
    return np.array([[each.low for each in intervals], [each.high for each in intervals]])


def _cumulative_cost(costs: NDArray[np.float64], independent: bool) -> NDArray[np.float64]:
    """(K,): the mean over repeats of what k trials cost, from (repeats, K) costs per trial."""
    if independent:
        # Any k of the trials could have been the search, just as in the expected minimum.
        return np.asarray(np.arange(1, costs.shape[1] + 1) * costs.mean(), dtype=np.float64)
    return np.asarray(np.cumsum(costs, axis=1, dtype=np.float64).mean(axis=0), dtype=np.float64)


def _check_losses(call: str, name: str, losses: NDArray[np.float64], dimensions: int) -> None:
    if losses.ndim != dimensions or losses.size == 0:
        shape = "(n,)" if dimensions == 1 else "(repeats, K)"
        raise ValueError(f"{call}({name}=...): must have shape {shape} and not be empty, got {losses.shape}")
    wrong = losses[np.isnan(losses) | np.isneginf(losses)]
    if wrong.size:
        raise ValueError(f"{call}({name}=...): a loss must be a number, or inf where diverged, got {wrong[0]}")
