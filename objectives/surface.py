"""`Surface`: a test function of two variables with its exact gradient, its known minima, and how to draw it."""

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
    """A known minimum: its point (x, y) and the surface's value there."""

    point: tuple[float, float]
    value: float


@dataclass(frozen=True)
class Surface(Entry):
    """One surface of the catalog.

    height: the formula, `height(x, y) -> z`. slopes: its exact derivatives, `slopes(x, y) -> (∂z/∂x, ∂z/∂y)`. Both are
        arithmetic and numpy's elementwise functions, without powers, and take numbers as well as arrays.
    minima: all known minima at which a path may arrive; empty for a surface that is unbounded below.
    start: where every path starts.
    window: the rectangle to draw, ((smallest x, largest x), (smallest y, largest y)).
    steps: default number of updates of a path.
    formula, reference: for the documentation.
    tolerance, level: a path has arrived within `tolerance` of a known minimum or, on a surface without one, below the
        value `level`.
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
        """The length of the window's diagonal, the scale of distances on this surface."""
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
        """The first step from which `path` (steps + 1, 2) stays arrived to its end; None if it does not end arrived."""
        arrived = self.arrived(path)
        outside = np.flatnonzero(~arrived)
        step = int(outside[-1]) + 1 if outside.size else 0
        return step if step < arrived.size else None

    def _coordinates(self, call: str, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x (...) and y (...) of `points` (..., 2)."""
        try:
            array = np.asarray(points, dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(f"{self.name}.{call}(points=...): must be numbers, got {points!r}") from None
        if array.shape[-1:] != (2,):
            raise InputError(f"{self.name}.{call}(points=...): must have shape (..., 2), got {array.shape}")
        return array[..., 0], array[..., 1]
