"""`Surface`: a function of two variables with its gradient by hand, what is known of it, and how to draw it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cooldown.objectives.catalog import Entry
from cooldown.objectives.errors import InputError


@dataclass(frozen=True)
class Minimum:
    """A minimum that is known: its place (x, y) and the surface's value there."""

    point: tuple[float, float]
    value: float


@dataclass(frozen=True)
class Surface(Entry):
    """One surface of the catalog.

    height: the formula, `height(x, y) -> z`. slopes: its exact derivatives, `slopes(x, y) -> (∂z/∂x, ∂z/∂y)`. Both are
        arithmetic and numpy's elementwise functions, without powers, so that they take numbers as well as arrays.
    minima: all known minima that count as an arrival; none where the surface falls without end.
    start: where every optimizer sets out.
    window: the rectangle to draw, ((least x, greatest x), (least y, greatest y)).
    steps: how many updates a path has unless told otherwise.
    formula, reference: for the documentation.
    tolerance, level: where a path has arrived: this near to a known minimum or, on a surface without one, below this
        value.
    """

    name: str
    height: Callable[[Any, Any], Any]
    slopes: Callable[[Any, Any], tuple[Any, Any]]
    minima: tuple[Minimum, ...]
    start: tuple[float, float]
    window: tuple[tuple[float, float], tuple[float, float]]
    steps: int
    formula: str
    reference: str
    tolerance: float = 0.0
    level: float = -math.inf

    @property
    def diagonal(self) -> float:
        """The window's diagonal: the unit in which a way on this surface is short or long."""
        (left, right), (bottom, top) = self.window
        return math.hypot(right - left, top - bottom)

    def value(self, points: ArrayLike) -> NDArray[np.float64]:
        """The values (...) at `points` (..., 2)."""
        return np.asarray(self.height(*self._coordinates("value", points)), dtype=np.float64)

    def gradient(self, points: ArrayLike) -> NDArray[np.float64]:
        """The gradients (..., 2) at `points` (..., 2)."""
        return np.stack(self.slopes(*self._coordinates("gradient", points)), axis=-1)

    def nearest(self, points: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """For `points` (..., 2) the indices (...) in `minima` of the nearest minima, and the distances (...) to them.

        Raises InputError on a surface without minima.
        """
        x, y = self._coordinates("nearest", points)
        if not self.minima:
            raise InputError(f"{self.name}.nearest(points=...): {self.name} has no minimum")
        places = np.array([minimum.point for minimum in self.minima])
        distances = np.hypot(x[..., None] - places[:, 0], y[..., None] - places[:, 1])
        return distances.argmin(axis=-1), distances.min(axis=-1)

    def arrived(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which (...) of `points` (..., 2) are within the tolerance of a minimum or, without any, below the level."""
        if self.minima:
            return np.asarray(self.nearest(points)[1] <= self.tolerance)
        return np.asarray(self.value(points) < self.level)

    def arrival(self, path: ArrayLike) -> int | None:
        """The step from which on a `path` (steps + 1, 2) has arrived for good; None if it has not at its end."""
        arrived = self.arrived(path)
        outside = np.flatnonzero(~arrived)
        step = int(outside[-1]) + 1 if outside.size else 0
        return step if step < arrived.size else None

    def _coordinates(self, call: str, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x (...) and y (...) of `points` (..., 2)."""
        try:
            given = np.asarray(points, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{self.name}.{call}(points=...): not numbers: {points!r}") from None
        if given.shape[-1:] != (2,):
            raise InputError(f"{self.name}.{call}(points=...): points are (..., 2), got shape {given.shape}")
        return given[..., 0], given[..., 1]
