"""When to doubt a search: pure predicates on arrays, behind the alarms of an answer."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["low", "high"]

EDGE = 0.05
"""The outer share of a range, on the scale it is searched on, in which a value counts as lying at the edge."""


def edge_reached(positions: NDArray[np.float64]) -> Side | None:
    """The edge of a range at which the best values crowd: at least half of them, and two, in its outer 5 %.

    positions: (n,) of the best values in their range on the search's scale, 0 its low end and 1 its high end; one per
    repeat. Of five values that lie anywhere alike, three crowd at one edge or the other in 0.2 % of cases.
    """
    enough = max(2, (len(positions) + 1) // 2)
    if np.count_nonzero(positions <= EDGE) >= enough:
        return "low"
    return "high" if np.count_nonzero(positions >= 1 - EDGE) >= enough else None


def never_improved(losses: NDArray[np.float64], startup: int) -> bool:
    """Whether no study found anything better than the best of its first `startup` trials, which are random.

    losses: (studies, trials) in the order they were tried; False where there is no trial after the first ones.
    """
    if startup < 1 or losses.size == 0 or losses.shape[1] <= startup:
        return False
    return bool((losses[:, startup:].min(axis=1) >= losses[:, :startup].min(axis=1)).all())


def winners_curse(chosen: NDArray[np.float64], fresh: NDArray[np.float64]) -> float:
    """How much worse winners do on fresh seeds than on those they were chosen on: mean(fresh − chosen), in the loss's
    unit. chosen, fresh: (repeats,) mean validation losses of each study's winner on the same split.
    """
    return float(np.mean(fresh - chosen))
