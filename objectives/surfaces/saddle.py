"""A saddle: a minimum along x, a maximum along y, and no minimum anywhere.

The start is 0.0001 off the ridge, so the gradient across the ridge is tiny. Rules that step along the gradient run to
the saddle point and linger there; rules that scale each coordinate leave at once. Shown in the survey's figure 6.
"""

from typing import Any

from cooldown.objectives.surface import Surface


def height(x: Any, y: Any) -> Any:
    """x² − y²."""
    return x * x - y * y


def slopes(x: Any, y: Any) -> tuple[Any, Any]:
    """2x and −2y."""
    return 2 * x, -2 * y


saddle = Surface(
    name="saddle",
    height=height,
    slopes=slopes,
    minima=(),
    start=(1.2, 1e-4),
    window=((-1.5, 1.5), (-1.5, 1.5)),
    steps=50,
    formula="x² − y²",
    reference="Dauphin et al. 2014; Ruder 2016",
    level=-1.0,
)
