"""When to doubt a search: pure predicates on arrays, behind the alarms of an answer."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.intervals import Interval, mean_interval
from cooldown.search.statistics.paired import PerRepeat, Scale, paired
from cooldown.search.statistics.ranks import falling_p_value

Side = Literal["low", "high"]

EDGE, NEAR = 0.05, 0.25
"""The outer share of a range, on the scale it is searched on, in which a value lies at the edge, or near it."""

TREND_P_VALUE = 0.01
"""How surely trials near an edge must get better towards it."""


def edge_reached(best: NDArray[np.float64], positions: NDArray[np.float64], losses: NDArray[np.float64]) -> Side | None:
    """The edge of a range at which the best values crowd.

    Either at least half of the best, and two, lie in its outer 5 %; or two thirds of them lie in its outer quarter, and
    the trials there still get better towards the edge: Spearman's rank correlation is negative at the 1 % level.

    best: (n,) positions of the best values, 0 the range's low end and 1 its high end; one per repeat, NaN where a trial
    has no such value. positions, losses: (m,) those of all trials, losses comparable between repeats, as ranks are.
    """
    mirrored: list[tuple[Side, NDArray[np.float64], NDArray[np.float64]]] = [
        ("high", best, positions),
        ("low", 1 - best, 1 - positions),
    ]
    for side, top, places in mirrored:
        at_edge, near = np.count_nonzero(top >= 1 - EDGE), np.count_nonzero(top >= 1 - NEAR)
        if at_edge >= max(2, len(top) / 2):
            return side
        if near >= max(2, 2 * len(top) / 3) and _falling(places, losses):
            return side
    return None


def _falling(positions: NDArray[np.float64], losses: NDArray[np.float64]) -> bool:
    """Whether losses fall towards the high end within its outer quarter; False for fewer than 8 trials there."""
    near = positions >= 1 - NEAR
    return bool(np.count_nonzero(near) >= 8 and falling_p_value(positions[near], losses[near]) < TREND_P_VALUE)


BY_CHANCE = 0.25
"""A failure to improve that is more probable than this by chance alone is none."""


def never_improved(losses: NDArray[np.float64], startup: int) -> bool:
    """Whether no study found anything better than the best of its first `startup` trials, which are random.

    losses: (studies, trials) in the order they were tried. False where so few trials follow that this would happen to
    trials in any order in more than a quarter of cases.
    """
    if startup < 1 or losses.size == 0 or (min(startup / losses.shape[1], 1)) ** len(losses) > BY_CHANCE:
        return False
    return bool((losses[:, startup:].min(axis=1) >= losses[:, :startup].min(axis=1)).all())


def winners_curse(chosen: NDArray[np.float64], fresh: NDArray[np.float64]) -> float:
    """How much worse winners do on fresh seeds than on those they were chosen on: mean(fresh − chosen), in the loss's
    unit. chosen, fresh: (repeats,) mean validation losses of each study's winner on the same split.
    """
    return float(np.mean(fresh - chosen))


def ahead_of_all(reference: PerRepeat, arms: Mapping[str, PerRepeat], scale: Scale) -> bool:
    """Whether a reference is ahead of every arm: the 95 % t interval of each comparison over repeats excludes equal
    losses. All must, so there is nothing to correct for the number of arms.

    reference, and of each arm: the test loss by repeat; repeats that only one of the two has are left out. False with
    fewer than two. scale: whether logarithms of ratios are compared, or differences.
    """
    for arm in arms.values():
        x = paired(reference, arm, scale).x
        if len(x) < 2 or mean_interval(x).high >= 0:
            return False
    return bool(arms)


class OneRun(NamedTuple):
    """A run that alone moves a mean. repeat, run: its place. mean: with it. without: the interval of all others."""

    repeat: int
    run: int
    mean: float
    without: Interval


def one_run(losses: Sequence[NDArray[np.float64]]) -> OneRun | None:
    """The run that moves an arm's mean by more than its interval: with it, the mean over repeats lies outside the 95 %
    t interval that all other runs give. The interval with it would not tell, because such a run widens it too.

    losses: for each repeat (runs,). None without such a run; of several, the one that moves the mean most. A repeat of
    a single run cannot do without it.
    """
    if len(losses) < 2:
        return None
    means = np.array([of_repeat.mean() for of_repeat in losses])
    found: list[OneRun] = []
    for repeat, of_repeat in enumerate(losses):
        for run in range(len(of_repeat) if len(of_repeat) > 1 else 0):
            others = means.copy()
            others[repeat] = np.delete(of_repeat, run).mean()
            without, mean = mean_interval(others), float(means.mean())
            # Equal losses differ by rounding.
            if not without.low - 1e-12 * abs(mean) <= mean <= without.high + 1e-12 * abs(mean):
                found.append(OneRun(repeat, run, mean, without))
    return max(found, key=lambda each: abs(each.mean - each.without.estimate), default=None)
