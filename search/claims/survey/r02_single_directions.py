"""Single directions: hidden units are clamped to 0 one after the other in random orders. The area under the accuracy on
the rows trained on, over the share of clamped units, is 1 if no unit matters: of a network trained on the task's labels
beside one trained on random ones; of one with batch normalization beside one without; and of one with dropout beside
one without, only over the shares beyond its own. Selectivity is the mean over the units. One hidden layer of 64 units,
at most 1,000 rows, dropout 0.2.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.limits import of_classifiers
from cooldown.search.claims.networks import Trained, trained
from cooldown.search.evidence.numbers import percent
from cooldown.search.statistics.claims import Limits, Part

WIDTH, ORDERS, DROPOUT = 64, 2, 0.2
LARGER, SMALLER = Limits(above=0.0), Limits(below=0.0)
NO_MORE = Limits(below=0.05)
"""Of a difference of mean accuracies: one that is too small to help."""


class Reliance(NamedTuple):
    """How much a network relies on single units. area: under its ablation curve. beyond: the mean accuracy while more
    than the share `DROPOUT` of the units is clamped. selectivity: the mean over the units.
    """

    area: float
    beyond: float
    selectivity: float


def reliance(network: Trained, repeat: int) -> Reliance:
    """That of one trained network."""
    # Whoever only asks what a claim says loads no engine.
    from cooldown.objectives.probes import ablation_curve, area_under, selectivity

    rows = network.problem.train
    draw = generator(0, "claim", "ablation", repeat)
    curve = ablation_curve(network.model, network.theta, rows, draw, ORDERS)
    beyond = curve[np.linspace(0, 1, len(curve)) > DROPOUT]
    of_units = selectivity(network.model, network.theta, rows)
    return Reliance(area_under(curve), float(beyond.mean()), float(of_units.mean()))


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """Differences of areas, mean accuracies and selectivities."""
    measured = np.array(
        [
            [
                reliance(trained(task, WIDTH, budget, repeat), repeat),
                reliance(trained(task.with_random_labels(1.0), WIDTH, budget, repeat), repeat),
                reliance(trained(task, WIDTH, budget, repeat, batch_norm=True), repeat),
                reliance(trained(task, WIDTH, budget, repeat, dropout=DROPOUT), repeat),
            ]
            for repeat in range(SETTINGS[budget]["repeats"])
        ]
    )
    # Each (repeats, networks).
    area, beyond, selective = np.moveaxis(measured, -1, 0)
    own, permuted, normalized, dropped = range(4)
    of_area = "area under accuracy while units are clamped"
    of_beyond = f"accuracy while more than {percent(DROPOUT)} of the units are clamped"

    def difference(effect: str, of: NDArray[np.float64], first: int, other: int, limits: Limits) -> Part:
        return Part(effect, of[:, first] - of[:, other], limits, ratio=False)

    return [
        difference(f"{of_area}, own labels less random ones", area, own, permuted, LARGER),
        difference(f"{of_area}, with batch normalization less without", area, normalized, own, LARGER),
        difference(f"{of_beyond}, with dropout {DROPOUT:g} less without", beyond, dropped, own, NO_MORE),
        difference("selectivity, with batch normalization less without", selective, normalized, own, SMALLER),
    ]


r02_single_directions = Claim(
    name="r02_single_directions",
    id="single-directions",
    statement=(
        "Networks that generalize rely less on single directions; batch normalization lowers this and selectivity, "
        "dropout does not help beyond its own share of units"
    ),
    source="Morcos et al. 2018",
    published="",
    computed=computed,
    limits=of_classifiers,
)
