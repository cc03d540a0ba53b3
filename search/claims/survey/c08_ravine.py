"""C8: paths on the ravine at common rates. How often they cross its bottom: momentum and SGD in 60 updates; Nesterov's
rule and momentum until the swing across has shrunk to a hundredth. Across the ravine, whose curvature is 100, plain SGD
zig-zags between the rates 0.01 and 0.02, and Nesterov's rule swings below 0.01: there are two sweeps of rates, in place
of repeats. Nothing is random.
"""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.descent import descend
from cooldown.objectives.surfaces import Surface
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.statistics.claims import Limits, Part

UPDATES = 60
FEWER = Limits(below=0.0)
LONGER = 250
"""Updates after which every swing has shrunk to a hundredth."""

ZIGZAG = (0.0165, 0.0195)
"""Rates at which plain SGD zig-zags and still converges; the published one, 0.018, is in the middle."""

SWING = (0.003, 0.0095)
"""Rates at which both momentum and Nesterov's rule swing across."""


def crossings(path: NDArray[np.float64]) -> int:
    """How often a path (steps + 1, 2) crosses the axis y = 0."""
    side = np.sign(path[:, 1])
    side = side[side != 0]
    return int((side[1:] != side[:-1]).sum())


def swinging(path: NDArray[np.float64]) -> NDArray[np.float64]:
    """The path up to where |y| stays below a hundredth of what it was at the start."""
    size = np.abs(path[:, 1])
    return path[: np.flatnonzero(size >= size[0] / 100)[-1] + 1]


def paths(surface: Surface, rule: str, rates: NDArray[np.float64], steps: int) -> list[NDArray[np.float64]]:
    """A rule's path at each rate, (steps + 1, 2)."""
    return [descend(surface.gradient, surface.start, rule, {}, np.full(steps, rate)) for rate in rates]


def computed(surface: Surface, budget: Budget) -> list[Part]:
    """Crossings of momentum less those of SGD, and of Nesterov's rule less those of momentum."""
    zigzag, swing = (np.linspace(*ends, SETTINGS[budget]["repeats"]) for ends in (ZIGZAG, SWING))
    sgd, momentum = (
        np.array([crossings(path) for path in paths(surface, rule, zigzag, UPDATES)]) for rule in ("sgd", "momentum")
    )
    damped, nag = (
        np.array([crossings(swinging(path)) for path in paths(surface, rule, swing, LONGER)])
        for rule in ("momentum", "nag")
    )
    before = "crossings of the ravine until the swing is a hundredth"
    return [
        Part(f"crossings of the ravine in {UPDATES} updates, momentum less sgd", momentum - sgd, FEWER, ratio=False),
        Part(f"{before}, nag less momentum", nag - damped, FEWER, ratio=False),
    ]


c08_ravine = Claim(
    name="c08_ravine",
    id="C8",
    statement="Momentum damps the zig-zag in a ravine; Nesterov's gradient corrects earlier",
    source="Qian 1999; Nesterov 1983; Ruder 2016",
    published="29 crossings in place of 60 at the rate 0.018: 31 less",
    computed=computed,
    surface="ravine",
)
