"""C11: updates until a path has left the saddle, from starts that are drawn for each repeat; each rule at the learning
rate that is tuned for it on the surface's own start.
"""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.descent import descend
from cooldown.objectives.random_streams import generator
from cooldown.objectives.surfaces import Surface, tune
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.statistics.claims import Limits, Part

LINGER = ("sgd", "momentum", "nag")
LEAVE = ("adagrad", "rmsprop", "adadelta")
MOST = 500
"""Updates of a path; one that has not left by then counts as this long."""


def steps_to_leave(surface: Surface, rule: str, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(starts,) updates until the surface's value is below its level."""
    rate = tune(surface, rule)
    steps = []
    for start in starts:
        with np.errstate(over="ignore", invalid="ignore"):
            path = descend(surface.gradient, start, rule, {}, np.full(MOST, rate))
            gone = np.flatnonzero(surface.arrived(path))
        steps.append(gone[0] if gone.size else MOST)
    return np.array(steps, np.float64)


def computed(surface: Surface, budget: Budget) -> list[Part]:
    """How many times as long each rule of the SGD family takes as the slowest of the adaptive ones."""
    repeats = SETTINGS[budget]["repeats"]
    draw = generator(0, "claim", "saddle")
    starts = np.column_stack([draw.uniform(0.8, 1.5, repeats), 10 ** draw.uniform(-5, -3, repeats)])
    slowest = np.max([steps_to_leave(surface, rule, starts) for rule in LEAVE], axis=0)
    return [
        Part(
            f"updates of {rule} to leave the saddle over those of the slowest of {', '.join(LEAVE)}",
            np.log(steps_to_leave(surface, rule, starts)) - np.log(slowest),
            Limits(above=1.0),
        )
        for rule in LINGER
    ]


c11_saddle = Claim(
    name="c11_saddle",
    id="C11",
    statement="At a saddle SGD, momentum and NAG linger; Adagrad, RMSprop and Adadelta leave quickly",
    source="Ruder 2016, figure 6; Dauphin et al. 2014",
    published="",
    computed=computed,
    surface="saddle",
)
