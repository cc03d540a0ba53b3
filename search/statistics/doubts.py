"""When to doubt a search: pure predicates on arrays, behind the alarms of an answer."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
