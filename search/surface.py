"""What `cooldown surface` prints and writes: optimizers' paths over a surface in numbers, and the picture of them."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from objectives.errors import InputError
from objectives.surfaces import Surface, Trajectory


def document(surface: Surface, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """The document of `cooldown surface --json`; numbers that are none, or too large to be written, are None."""
    return {
        "surface": surface.name,
        "formula": surface.formula,
        "start": list(surface.start),
        "minima": [{"point": list(minimum.point), "value": minimum.value} for minimum in surface.minima],
        "steps": len(trajectories[0].path) - 1,
        "goal": _goal(surface),
        "trajectories": [_row(surface, trajectory) for trajectory in trajectories],
    }


def _goal(surface: Surface) -> str:
    """Where a path has arrived once it stays there."""
    return f"within {surface.tolerance:g} of a minimum" if surface.minima else f"below {surface.level:g}"


def _row(surface: Surface, trajectory: Trajectory) -> dict[str, Any]:
    distance = float(surface.nearest(trajectory.path[-1])[1]) if surface.minima else math.nan
    return {
        "optimizer": trajectory.name,
        "learning_rate": trajectory.learning_rate,
        "value": _finite(float(trajectory.values[-1])),
        "distance": _finite(distance),
        "steps_to_arrive": trajectory.arrival,
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def check_output(path: Path, force: bool) -> None:
    """Raise InputError where `path` cannot be written, or not without `force`: before the work, not after it."""
    try:
        if path.is_dir():
            raise InputError(f"{str(path)!r} is a folder: name a file in it with -o")
        if path.exists() and not force:
            raise InputError(f"{str(path)!r} exists already: name another file with -o, or write over it with --force")
        if not path.parent.is_dir():
            raise InputError(f"{str(path)!r} cannot be written: there is no folder {str(path.parent)!r}")
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error


def write(path: Path, surface: Surface, trajectories: Sequence[Trajectory], force: bool) -> None:
    """Write the picture to `path`, as a web page that needs no network; raises InputError where that cannot be."""
    from search.figures.page import page
    from search.figures.surface import surface_figure

    text = page(surface_figure(surface, trajectories), f"{surface.name} · Cooldown")
    try:
        # Even a file that came to be in the meantime is not written over unasked.
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be written: {error.strerror}") from error
