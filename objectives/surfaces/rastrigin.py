"""Rastrigin's function: a bowl with a local minimum near every pair of whole numbers.

The lowest minimum is in the middle. A path may arrive at any of them: from three minima away few rules reach the
middle, and the figure shows how many local minima each path crosses before it stays in one.
"""

from itertools import product
from typing import Any

import numpy as np

from cooldown.objectives.surface import Minimum, Surface

# (u, u² + 10 − 10 cos 2πu) for the zeros u of u + 10π sin 2πu within the window where the curvature is positive. The
# function is a sum over its coordinates: its minima are the pairs of these, their values the sums.
DENTS = (
    (0.0, 0.0),
    (0.9949586376523348, 0.9949590570932914),
    (1.9899122337085495, 3.9798311905540875),
    (2.984855701039481, 8.95460124148701),
    (3.9797838603007536, 15.91924379246153),
    (4.974691390895051, 24.87372293454222),
)
BOTH_SIDES = (*DENTS, *((-u, value) for u, value in DENTS[1:]))


def height(x: Any, y: Any) -> Any:
    """20 + x² − 10 cos 2πx + y² − 10 cos 2πy."""
    return 20 + x * x - 10 * np.cos(2 * np.pi * x) + y * y - 10 * np.cos(2 * np.pi * y)


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """2x + 20π sin 2πx and the same of y."""
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 2 * y + 20 * np.pi * np.sin(2 * np.pi * y)


rastrigin = Surface(
    name="rastrigin",
    height=height,
    slopes=slopes,
    minima=tuple(Minimum((x, y), of_x + of_y) for (x, of_x), (y, of_y) in product(BOTH_SIDES, repeat=2)),
    start=(-3.3, 2.3),
    window=((-5.12, 5.12), (-5.12, 5.12)),
    steps=150,
    formula="20 + x² − 10 cos 2πx + y² − 10 cos 2πy",
    reference="Rastrigin 1974",
    tolerance=0.1,
)
