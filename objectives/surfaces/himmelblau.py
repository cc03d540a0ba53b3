"""Himmelblau's function: four minima, equally low, around a hill.

A path may arrive at any of the four. The start is near the top of the hill, where the direction depends on the rule: a
step along the gradient goes another way than a step of equal length in both coordinates.
"""

from typing import Any

from cooldown.objectives.surface import Minimum, Surface


def height(x: Any, y: Any) -> Any:
    """(x² + y − 11)² + (x + y² − 7)²."""
    a, b = x * x + y - 11, x + y * y - 7
    return a * a + b * b


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """4x(x² + y − 11) + 2(x + y² − 7) and 2(x² + y − 11) + 4y(x + y² − 7)."""
    a, b = x * x + y - 11, x + y * y - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


himmelblau = Surface(
    name="himmelblau",
    height=height,
    slopes=slopes,
    # (3, 2) is exact; the others are roots of the gradient to the last digit.
    minima=(
        Minimum((3.0, 2.0), 0.0),
        Minimum((-2.805118086952745, 3.131312518250573), 0.0),
        Minimum((-3.779310253377747, -3.2831859912861696), 0.0),
        Minimum((3.5844283403304917, -1.8481265269644036), 0.0),
    ),
    start=(-0.3, -0.9),
    window=((-5.0, 5.0), (-5.0, 5.0)),
    steps=100,
    formula="(x² + y − 11)² + (x + y² − 7)²",
    reference="Himmelblau 1972",
    tolerance=0.1,
)
