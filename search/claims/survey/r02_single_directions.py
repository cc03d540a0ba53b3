"""Single directions: hidden units are clamped to 0 one after the other in random orders. The area under the accuracy on
the rows trained on, over the share of clamped units, is 1 if no unit matters: of a network trained on the task's labels
beside one trained on random ones, and of one with batch normalization beside one without. One hidden layer of 64
units, at most 1,000 rows.
"""

import numpy as np

from cooldown.objectives.probes import ablation_curve, area_under
from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.limits import of_classifiers
from cooldown.search.claims.networks import Trained, trained
from cooldown.search.statistics.claims import Limits, Part

WIDTH, ORDERS = 64, 2
LARGER = Limits(above=0.0)


def area(network: Trained, repeat: int) -> float:
    """The area under a network's ablation curve."""
    draw = generator(0, "claim", "ablation", repeat)
    return area_under(ablation_curve(network.model, network.theta, network.problem.train, draw, ORDERS))


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """Differences of areas."""
    areas = np.array(
        [
            [
                area(trained(task, WIDTH, budget, repeat), repeat),
                area(trained(task.with_random_labels(1.0), WIDTH, budget, repeat), repeat),
                area(trained(task, WIDTH, budget, repeat, batch_norm=True), repeat),
            ]
            for repeat in range(SETTINGS[budget]["repeats"])
        ]
    )
    own, permuted, normalized = areas.T
    effect = "area under accuracy while units are clamped"
    return [
        Part(f"{effect}, own labels less random ones", own - permuted, LARGER, ratio=False),
        Part(f"{effect}, with batch normalization less without", normalized - own, LARGER, ratio=False),
    ]


r02_single_directions = Claim(
    name="r02_single_directions",
    id="single-directions",
    statement="Networks that generalize rely less on single directions, and with batch normalization still less",
    source="Morcos et al. 2018",
    published="",
    computed=computed,
    limits=of_classifiers,
)
