"""What `cooldown surface` prints and writes: optimizers' paths over a surface as numbers, and as a picture."""

import math
from collections.abc import Sequence
from typing import Any

from cooldown.objectives.surfaces import Surface, Trajectory


def document(surface: Surface, trajectories: Sequence[Trajectory], rate: float | None = None) -> dict[str, Any]:
    """The document of `cooldown surface --json`; numbers that are not finite are None. rate: the common one, if any."""
    return {
        "surface": surface.name,
        "formula": surface.formula,
        "start": list(surface.start),
        "minima": [{"point": list(minimum.point), "value": minimum.value} for minimum in surface.minima],
        "steps": len(trajectories[0].path) - 1,
        "goal": _goal(surface),
        **({} if rate is None else {"common_rate": rate}),
        "trajectories": [_row(surface, trajectory) for trajectory in trajectories],
    }


def _goal(surface: Surface) -> str:
    """The region in which a path has arrived if it stays there."""
    return f"within {surface.tolerance:g} of a minimum" if surface.minima else f"below {surface.level:g}"


def _row(surface: Surface, trajectory: Trajectory) -> dict[str, Any]:
    distance = float(surface.nearest(trajectory.path[-1])[1]) if surface.minima else math.nan
    return {
        "optimizer": trajectory.name,
        "learning_rate": trajectory.learning_rate,
        "value": _finite(float(trajectory.values[-1])),
        "distance": _finite(distance),
        "steps_to_arrive": trajectory.arrival,
        "crossings": trajectory.crossings,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def picture(
    surface: Surface, trajectories: Sequence[Trajectory], rate: float | None = None, *, in_3d: bool = False
) -> str:
    """The picture as a self-contained web page. in_3d: as a surface in three dimensions, which is not animated."""
    from cooldown.search.figures.page import page
    from cooldown.search.figures.relief import relief
    from cooldown.search.figures.surface import surface_figure

    drawn = relief(surface, trajectories) if in_3d else surface_figure(surface, trajectories, rate)
    return page(drawn, f"{surface.name} · Cooldown")
