"""Time to target: how many gradient evaluations a run needs to reach a given validation loss, and who needs fewer.

A run that never gets there is censored, not missing: it says that its time is longer than its budget. Dropping it would
make the optimizer that often fails look fast. `evaluations_to_target` reads one curve and answers inf for a censored
one; `target_times` sums up the repeats of one arm, `target_ratio` compares two arms. Time is gradient evaluations
throughout.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import mean_interval


@dataclass(frozen=True)
class TargetTimes:
    """The times to target of one arm's repeats.

    median: gradient evaluations, over all repeats; None where it is past what was trained, so that only "longer than
    the budget" is known. reached: the repeats that got to the target, out of `repeats`.
    """

    median: float | None
    reached: int
    repeats: int


@dataclass(frozen=True)
class TargetRatio:
    """How many times as long arm a takes to the target as arm b: dimensionless, below 1 where a is faster.

    ratio: None where no repeat of either arm reached the target. low, high: the t interval around it; None there, and
    with a single repeat. censored_a, censored_b: the repeats in which that arm did not reach the target.
    bound: on which side of the estimate unlimited budgets would have put it: "at_least" `ratio`, "at_most" `ratio`,
    "unknown" where both arms are censored, None where neither is. It speaks of `ratio` alone: low and high are the
    interval of the restricted times, and longer times could widen it on either side.
    """

    ratio: float | None
    low: float | None
    high: float | None
    censored_a: int
    censored_b: int
    bound: Literal["at_most", "at_least", "unknown"] | None


def evaluations_to_target(losses: NDArray[np.float64], evaluations: NDArray[np.float64], target: float) -> float:
    """The gradient evaluations after the first epoch whose loss is at most `target`; inf where there is none.

    losses: (E,) validation loss after each epoch; one that is NaN or inf, of a diverged run, does not reach the target.
    evaluations: (E,) cumulative gradient evaluations after each epoch, finite, above 0 and rising. target: a finite
    validation loss. Raises ValueError where one of these does not hold.
    """
    call = "evaluations_to_target"
    if losses.ndim != 1 or losses.shape != evaluations.shape:
        shapes = f"{losses.shape} and {evaluations.shape}"
        raise ValueError(f"{call}(losses=..., evaluations=...): both must have one shape (epochs,), got {shapes}")
    if not np.isfinite(target):
        raise ValueError(f"{call}(target={target}): target must be finite, got {target}")
    if not (np.isfinite(evaluations).all() and (np.diff(evaluations, prepend=0) > 0).all()):
        raise ValueError(f"{call}(evaluations=...): evaluations must be finite, above 0 and rising, got {evaluations}")
    reached = np.flatnonzero(losses <= target)
    return float(evaluations[reached[0]]) if reached.size else float("inf")


def target_times(times: NDArray[np.float64]) -> TargetTimes:
    """The median time and the count of repeats that reached the target.

    times: (repeats,) gradient evaluations above 0, inf where censored; at least one, else ValueError. A median needs
    only the order, so with one budget for all repeats it is right as long as fewer than half are censored; of an even
    count, both middle times must be known.
    """
    _check_times("target_times", "times", times)
    median = float(np.median(times))
    return TargetTimes(median if np.isfinite(median) else None, int(np.isfinite(times).sum()), len(times))


def target_ratio(a: NDArray[np.float64], b: NDArray[np.float64], budget_a: float, budget_b: float) -> TargetRatio:
    """The ratio a/b of the times to target, paired by repeat, with the 95 % t interval of its logarithm.

    a, b: (repeats,) gradient evaluations above 0, inf where censored; repeat i of both shares its data and its seed.
    budget_a, budget_b: the gradient evaluations at which an arm's runs are censored, finite and above 0. The ratio is
    the geometric mean over all repeats of min(a, budget_a) / min(b, budget_b), so a censored repeat counts as its
    budget and a time past the budget as censored. Raises ValueError for bad shapes, times or budgets.

    Source: restricted time to event, after Royston & Parmar 2013, here with the geometric mean.
    """
    call = "target_ratio"
    _check_times(call, "a", a)
    _check_times(call, "b", b)
    if a.shape != b.shape:
        raise ValueError(f"{call}(a=..., b=...): repeats are paired, so shapes must be equal, got {a.shape}, {b.shape}")
    for name, budget in (("budget_a", budget_a), ("budget_b", budget_b)):
        if not (np.isfinite(budget) and budget > 0):
            raise ValueError(f"{call}({name}={budget}): {name} must be finite and above 0, got {budget}")

    censored_a, censored_b = int((a > budget_a).sum()), int((b > budget_b).sum())
    bound: Literal["at_most", "at_least", "unknown"] | None = None
    if censored_a and censored_b:
        bound = "unknown"
    elif censored_a:
        bound = "at_least"
    elif censored_b:
        bound = "at_most"

    # The ratio of the two budgets would be all that is left, and it says nothing of the optimizers.
    if censored_a == censored_b == len(a):
        return TargetRatio(None, None, None, censored_a, censored_b, bound)
    # Logarithms make a/b and b/a the same finding: the mean of plain ratios can put both above 1.
    logs = np.log(np.minimum(a, budget_a)) - np.log(np.minimum(b, budget_b))
    if len(logs) == 1:
        return TargetRatio(float(np.exp(logs[0])), None, None, censored_a, censored_b, bound)
    interval = mean_interval(logs)
    ratio, low, high = (float(np.exp(each)) for each in (interval.estimate, interval.low, interval.high))
    return TargetRatio(ratio, low, high, censored_a, censored_b, bound)


def _check_times(call: str, name: str, times: NDArray[np.float64]) -> None:
    if times.ndim != 1 or not len(times):
        raise ValueError(f"{call}({name}=...): {name} must have shape (repeats,), at least 1 repeat, got {times.shape}")
    # Written so that NaN fails too.
    if not (times > 0).all():
        raise ValueError(f"{call}({name}=...): times must be above 0, inf where censored, got {times}")
