"""A ravine: a quadratic a hundred times steeper across than along, with its axes along the coordinates.

The largest stable rate of plain SGD across the ravine is small along it: SGD zig-zags between the walls and makes
little progress. Momentum damps the zig-zag and accumulates the common direction of the steps.
"""

from typing import Any

from cooldown.objectives.surface import Minimum, Surface

STEEPNESS = 100.0
"""The condition number: the curvature across the ravine over that along it."""


def height(x: Any, y: Any) -> Any:
    """½(x² + 100y²)."""
    return 0.5 * (x * x + STEEPNESS * y * y)


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """x and 100y."""
    return x, STEEPNESS * y


ravine = Surface(
    name="ravine",
    height=height,
    slopes=slopes,
    minima=(Minimum((0.0, 0.0), 0.0),),
    start=(-9.0, 0.75),
    window=((-10.0, 5.0), (-3.0, 3.0)),
    steps=250,
    formula="½(x² + 100y²)",
    reference="Polyak 1964; Qian 1999",
    tolerance=0.2,
)
