"""The paths of several optimizers on one surface from one start, each at a learning rate found by a short search, or
all at one.

No rate is left at a default meant for neural networks: otherwise the figure would compare rates, not optimizers. The
search is the same for every rule and uses no random numbers. A common rate shows what tuned rates hide: how momentum
damps the zig-zag in a ravine.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import optimizers as rules
from cooldown.objectives.descent import descend
from cooldown.objectives.errors import InputError
from cooldown.objectives.surface import Surface

LONGEST_STEP = 0.1
"""Longest step, as a fraction of the window's diagonal: a longer one is a jump, even if it lands near a minimum."""

LARGEST, SMALLEST = 4, -6
"""Exponents of the largest and smallest rate, 10⁴ and 10⁻⁶: Adadelta needs rates near 100, SGD near 0.001."""

SPACING, FINE_SPACING = 0.125, 0.03125
"""Spacing of the rates in powers of ten: first from the largest down, then around the best."""

SEARCHED_BELOW = 0.5
"""How far below the best rate the search goes on once that rate arrives, in powers of ten."""

MAX_STEPS = 10_000
"""Longest path: beyond it the search takes minutes."""


@dataclass(frozen=True)
class Trajectory:
    """One optimizer's path over a surface.

    name: the optimizer's. learning_rate: tuned, or common. path: (steps + 1, 2), with the start. values: (steps + 1,)
    of the surface along the path. arrival: the first step from which the path stays arrived, None if it does not.
    crossings: how often the path changes the side of the horizontal line through the only minimum; None if there is not
    one only.
    """

    name: str
    learning_rate: float
    path: NDArray[np.float64]
    values: NDArray[np.float64]
    arrival: int | None
    crossings: int | None


Score = tuple[float, float, float, float]
"""The badness of a rate, compared in this order: 0 if its path arrives, else 1; the minimum's value; the step of
arrival; the final value."""

CUT: Score = (math.inf, math.inf, math.inf, math.inf)
"""The score of a rate whose path was cut short."""


class _CutError(Exception):
    """Ends a path that cannot be the best."""


def trajectories(
    surface: Surface, optimizers: Iterable[str] | None, steps: int | None, rate: float | None
) -> list[Trajectory]:
    """See `surfaces.trajectories`."""
    count = _steps("trajectories", surface, steps)
    if isinstance(optimizers, str):
        optimizers = [optimizers]
    names = rules.names() if optimizers is None else list(optimizers)
    if not names:
        raise InputError("trajectories(optimizers=...): needs at least one optimizer, got none")
    for name in names:
        rules.get(name)
        if names.count(name) > 1:
            raise InputError(f"trajectories(optimizers=...): {name} is named twice")
    if rate is not None and (not math.isfinite(rate) or rate <= 0):
        raise InputError(f"trajectories(rate={rate!r}): must be a finite learning rate greater than 0")
    return [_trajectory(surface, name, tune(surface, name, count) if rate is None else rate, count) for name in names]


def tune(surface: Surface, optimizer: str, steps: int | None) -> float:
    """See `surfaces.tune`."""
    count = _steps("tune", surface, steps)
    rules.get(optimizer)
    scores: dict[float, Score] = {}

    def score(exponent: float) -> Score:
        if exponent not in scores:
            best = min(scores.values(), default=CUT)
            scores[exponent] = _score(surface, optimizer, 10.0**exponent, count, best)
        return scores[exponent]

    # From large to small: rates that are too large are cut early, and an arrival cuts short all slower paths.
    exponents = np.arange(LARGEST, SMALLEST - SPACING, -SPACING).tolist()
    best = exponents[0]
    for exponent in exponents:
        best = min(best, exponent, key=score)
        arrives = scores[best][0] == 0
        if arrives and exponent <= best - SEARCHED_BELOW:
            break
    nearby = np.arange(FINE_SPACING, SPACING, FINE_SPACING)
    best = min([best, *(best + nearby).tolist(), *(best - nearby).tolist()], key=score)
    return float(10.0**best)


def _score(surface: Surface, optimizer: str, rate: float, steps: int, best: Score) -> Score:
    """The score of `rate`; CUT if a step is too long, or as soon as the path cannot be better than `best`."""
    # A path must arrive no later than the best one, unless it could still find a lower minimum.
    lowest = min((minimum.value for minimum in surface.minima), default=0.0)
    deadline = best[2] if best[:2] == (0, lowest) else math.inf
    longest = LONGEST_STEP * surface.diagonal
    steps_done, previous = 0, surface.start

    def check(point: NDArray[np.float64]) -> None:
        nonlocal steps_done, previous
        x, y = point.tolist()
        length = math.hypot(x - previous[0], y - previous[1])
        # Written so that a NaN length counts as too long.
        if not length <= longest and not surface.arrived(previous):
            raise _CutError
        if steps_done == deadline and not surface.arrived(point):
            raise _CutError
        steps_done, previous = steps_done + 1, (x, y)

    # On a surface without a minimum a long path overflows.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            path = _descent(surface, optimizer, rate, steps, check)
            check(path[-1])
        except _CutError:
            return CUT
        arrival, end = surface.arrival(path), float(surface.value(path[-1]))
    if arrival is None:
        return 1, 0, math.inf, math.inf if math.isnan(end) else end
    minimum = surface.minima[surface.nearest(path[-1])[0]].value if surface.minima else 0.0
    return 0, minimum, arrival, end


def _trajectory(surface: Surface, optimizer: str, rate: float, steps: int) -> Trajectory:
    with np.errstate(over="ignore", invalid="ignore"):
        path = _descent(surface, optimizer, rate, steps)
        return Trajectory(optimizer, rate, path, surface.value(path), surface.arrival(path), _crossings(surface, path))


def _crossings(surface: Surface, path: NDArray[np.float64]) -> int | None:
    if len(surface.minima) != 1:
        return None
    side = np.sign(path[:, 1] - surface.minima[0].point[1])
    return int((side[1:] * side[:-1] < 0).sum())


def _descent(
    surface: Surface, optimizer: str, rate: float, steps: int, check: Callable[[Any], None] = lambda _: None
) -> NDArray[np.float64]:
    """The path (steps + 1, 2) at a constant `rate`. `check` sees every point but the last one, and may raise."""

    def gradient(point: NDArray[np.float64]) -> tuple[float, float]:
        check(point)
        # The formula is several times faster on Python's numbers than on arrays of one element.
        return surface.slopes(*point.tolist())

    return descend(gradient, surface.start, optimizer, {}, np.full(steps, rate))


def _steps(call: str, surface: Surface, steps: int | None) -> int:
    if steps is None:
        return surface.steps
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise InputError(f"{call}(steps={steps!r}): steps must be a whole number from 1 to {MAX_STEPS}, got {steps!r}")
    return steps
