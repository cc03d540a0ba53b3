"""Two arms' losses repeat by repeat, and the scale on which they are compared."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

PerRepeat = Mapping[int, float]
"""A number of each repeat that has one."""

Scale = Literal["ratio", "difference"]


class Paired(NamedTuple):
    """Two arms in the repeats that both have.

    of_a, of_b: (repeats,) losses. x: (repeats,) their comparison, of which negative values speak for a: the logarithm
    of the ratio of a's loss to b's, or the difference a − b.
    """

    of_a: NDArray[np.float64]
    of_b: NDArray[np.float64]
    x: NDArray[np.float64]


def scale_of(losses: Mapping[str, PerRepeat]) -> Scale:
    """On what losses are compared: ratios, unless one of them is 0 or below."""
    return "difference" if any(loss <= 0 for of_arm in losses.values() for loss in of_arm.values()) else "ratio"


def paired(a: PerRepeat, b: PerRepeat, scale: Scale) -> Paired:
    """Both arms in their common repeats, in the order of these. On the scale of ratios losses must be above 0."""
    common = sorted(a.keys() & b.keys())
    of_a, of_b = (np.array([arm[repeat] for repeat in common], np.float64) for arm in (a, b))
    return Paired(of_a, of_b, np.log(of_a) - np.log(of_b) if scale == "ratio" else of_a - of_b)
