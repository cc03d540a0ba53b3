"""C7: batches are drawn with replacement at a network's initial parameters, 400 of each size; the variance of their
gradients, the mean squared distance from the gradient of all training rows, against their size. Each repeat has its own
rows, parameters and batches.
"""

import numpy as np

from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.limits import of_arrays
from cooldown.search.statistics.claims import Limits, Part

SIZES = (1, 2, 4, 8, 16, 32, 64)
BATCHES, AT_ONCE = 400, 8


def slope(task: ArrayTask, repeat: int) -> float:
    """The slope of the log variance against the log batch size, by least squares."""
    (problem,) = task.search_problems(0, repeat, [0])
    model, draw = problem.differentiable, generator(0, "claim", "variance", repeat)
    theta = model.init(draw)[None]
    _, whole = model.loss_and_gradient(theta, problem.train[None])
    mean = whole[0].astype(np.float64)
    several, variances = np.repeat(theta, AT_ONCE, axis=0), []
    for size in SIZES:
        batches = draw.choice(problem.train, (BATCHES, size))
        distances: list[float] = []
        for some in np.split(batches, BATCHES // AT_ONCE):
            _, gradients = model.loss_and_gradient(several, some)
            distances.extend(np.square(gradients - mean).sum(axis=1))
        variances.append(np.mean(distances))
    return float(np.polyfit(np.log(SIZES), np.log(variances), 1)[0])


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """The slope, within a tenth of −1."""
    slopes = np.array([slope(task, repeat) for repeat in range(SETTINGS[budget]["repeats"])])
    effect = "slope of the gradient's variance against the batch size, both on log axes,"
    return [Part(effect, slopes, Limits(-1.1, -0.9), ratio=False)]


c07_variance = Claim(
    name="c07_variance",
    id="C7",
    statement="Mini-batches reduce the variance of SGD's updates",
    source="Ruder 2016",
    published="a slope of −1: the variance of the mean of independent rows",
    computed=computed,
    limits=of_arrays,
)
