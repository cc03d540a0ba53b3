"""Rosenbrock's function: a curved valley that is easy to reach, with a long flat floor towards the minimum.

The start is the usual one, on the other side of the bend. The curvature across the valley is 2500 times that along it,
so plain SGD needs thousands of steps: hence the long path.
"""

from typing import Any

from cooldown.objectives.surface import Minimum, Surface


def height(x: Any, y: Any) -> Any:
    """(1 − x)² + 100(y − x²)²."""
    a, b = 1 - x, y - x * x
    return a * a + 100 * b * b


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """−2(1 − x) − 400x(y − x²) and 200(y − x²)."""
    b = y - x * x
    return -2 * (1 - x) - 400 * x * b, 200 * b


rosenbrock = Surface(
    name="rosenbrock",
    height=height,
    slopes=slopes,
    minima=(Minimum((1.0, 1.0), 0.0),),
    start=(-1.2, 1.0),
    window=((-2.0, 2.0), (-1.0, 3.0)),
    steps=4000,
    formula="(1 − x)² + 100(y − x²)²",
    reference="Rosenbrock 1960",
    tolerance=0.15,
)
