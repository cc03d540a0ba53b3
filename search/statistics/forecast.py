"""How many repeats an open comparison needs."""

import numpy as np
from numpy.typing import NDArray

from cooldown.search.statistics.student import t_quantiles

FEWEST = 3
"""Repeats from which a forecast is made: the spread of two says next to nothing."""

MAX_REPEATS = 1000
"""The most repeats that a forecast names."""


def repeats_to_decide(x: NDArray[np.float64], margin: float, level: float) -> int | None:
    """The number of repeats, all together, at which two arms would be decided if mean and spread stayed as they are:
    either the interval excludes 0, or the narrower one for equality lies within ± `margin`.

    x: (repeats,) a comparison's value per repeat. margin: of practical equality, in the unit of x. level: the error
    rate at which the pair is decided, twice that for equality. None for fewer than 3 repeats, and where more than 1000
    would be needed.
    """
    n = len(x)
    if n < FEWEST:
        return None
    mean, deviation = abs(float(np.mean(x))), float(np.std(x, ddof=1))
    repeats = np.arange(n, MAX_REPEATS + 1)
    error = deviation / np.sqrt(repeats)
    excludes = t_quantiles(1 - level / 2, repeats - 1) * error < mean
    within = mean + t_quantiles(1 - level, repeats - 1) * error < margin
    enough = excludes | within
    return int(repeats[enough.argmax()]) if enough.any() else None
