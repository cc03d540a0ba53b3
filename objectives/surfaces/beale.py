"""Beale's function: a flat floor between steep walls, with one narrow minimum.

The start is on the wall above the floor. Adam and most similar rules, whose first steps are equally long in both
coordinates, go far to the left, beyond x = 0, before they turn to the minimum; momentum and NAG overshoot downwards, to
y = −1.7 and −1.4; plain SGD does neither, but is slow along the floor. Shown in the survey's figure 5.
"""

from typing import Any

from cooldown.objectives.surface import Minimum, Surface


def height(x: Any, y: Any) -> Any:
    """(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²."""
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return a * a + b * b + c * c


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """Its derivatives, term by term."""
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return (
        2 * (a * (y - 1) + b * (y * y - 1) + c * (y * y * y - 1)),
        2 * x * (a + 2 * b * y + 3 * c * y * y),
    )


beale = Surface(
    name="beale",
    height=height,
    slopes=slopes,
    minima=(Minimum((3.0, 0.5), 0.0),),
    start=(1.0, 1.5),
    window=((-2.0, 4.5), (-3.25, 3.25)),
    steps=400,
    formula="(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
    reference="Beale 1958",
    tolerance=0.2,
)
