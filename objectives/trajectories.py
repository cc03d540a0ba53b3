"""The paths of several optimizers on one surface from one start, each at a learning rate that a short search finds.

No rate is picked by hand, and none is left at a default that was made for neural networks: a picture of optimizers at
rates of unequal quality shows the rates. The search is the same for every rule, and nothing in it is random.
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
"""Of the window's diagonal. What jumps farther may land near a minimum, but has not descended to it."""

LARGEST, SMALLEST = 4, -6
"""Powers of ten between which rates are tried: Adadelta's useful ones are near 100, SGD's near a thousandth."""

SPACING, FINE_SPACING = 0.125, 0.03125
"""Of the rates tried, in powers of ten: first from the largest down, then around the best."""

SEARCHED_BELOW = 0.5
"""Powers of ten that are searched below the best rate so far, once that one arrives."""

MAX_STEPS = 10_000
"""Of one path: beyond, the search takes minutes."""


@dataclass(frozen=True)
class Trajectory:
    """One optimizer's way over a surface.

    name: the optimizer's. learning_rate: the tuned one. path: (steps + 1, 2), from the start on. values: (steps + 1,),
    the surface's along the path. arrival: the step from which on the path has arrived for good, None if it has not.
    """

    name: str
    learning_rate: float
    path: NDArray[np.float64]
    values: NDArray[np.float64]
    arrival: int | None


Score = tuple[float, float, float, float]
"""How bad a rate is, compared in this order: 0 if its path arrives and 1 if not; the minimum's value; the step of its
arrival; the value at its end."""

CUT: Score = (math.inf, math.inf, math.inf, math.inf)
"""Of a rate whose path was not followed to its end."""


class _CutError(Exception):
    """Ends a path that is out of the running."""


def trajectories(surface: Surface, optimizers: Iterable[str] | None, steps: int | None) -> list[Trajectory]:
    """What `surfaces.trajectories` says."""
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
    return [_trajectory(surface, name, tune(surface, name, count), count) for name in names]


def tune(surface: Surface, optimizer: str, steps: int | None) -> float:
    """What `surfaces.tune` says."""
    count = _steps("tune", surface, steps)
    rules.get(optimizer)
    scores: dict[float, Score] = {}

    def score(exponent: float) -> Score:
        if exponent not in scores:
            best = min(scores.values(), default=CUT)
            scores[exponent] = _score(surface, optimizer, 10.0**exponent, count, best)
        return scores[exponent]

    # From large to small: what is too large is soon cut, and what arrives cuts short all that is slower.
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
    """The score of `rate`; CUT where a step is too long, or as soon as the path cannot be better than `best`."""
    # Unless it could still find a lower minimum, a path has to have arrived by the step at which the best one has.
    lowest = min((minimum.value for minimum in surface.minima), default=0.0)
    deadline = best[2] if best[:2] == (0, lowest) else math.inf
    longest = LONGEST_STEP * surface.diagonal
    taken, previous = 0, surface.start

    def check(point: NDArray[np.float64]) -> None:
        nonlocal taken, previous
        x, y = point.tolist()
        length = math.hypot(x - previous[0], y - previous[1])
        # Written so that a length that is not a number is too long.
        if not length <= longest and not surface.arrived(previous):
            raise _CutError
        if taken == deadline and not surface.arrived(point):
            raise _CutError
        taken, previous = taken + 1, (x, y)

    # Where there is no minimum, a long path falls beyond what a number can hold.
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
        return Trajectory(optimizer, rate, path, surface.value(path), surface.arrival(path))


def _descent(
    surface: Surface, optimizer: str, rate: float, steps: int, check: Callable[[Any], None] = lambda _: None
) -> NDArray[np.float64]:
    """The path (steps + 1, 2) at a constant `rate`. `check` sees every point but the last one, and may raise."""

    def gradient(point: NDArray[np.float64]) -> tuple[float, float]:
        check(point)
        # On Python's own numbers the formula is several times faster than on arrays of one number.
        return surface.slopes(*point.tolist())

    return descend(gradient, surface.start, optimizer, {}, np.full(steps, rate))


def _steps(call: str, surface: Surface, given: int | None) -> int:
    if given is None:
        return surface.steps
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MAX_STEPS:
        raise InputError(f"{call}(steps={given!r}): steps must be a whole number from 1 to {MAX_STEPS}, got {given!r}")
    return given
