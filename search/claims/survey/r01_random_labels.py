"""Random labels: all labels are drawn anew from the task's classes; a network of one hidden layer with 256 units is
trained on at most 1,000 of the rows by Adam at the rate 0.003, without any regularization.
"""

import numpy as np

from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.limits import of_classifiers
from cooldown.search.claims.networks import EPOCHS, trained
from cooldown.search.statistics.claims import Limits, Part

WIDTH = 256
FITTED, GUESSED = Limits(above=0.99), Limits(-0.1, 0.1)


def computed(task: ArrayTask, budget: Budget) -> list[Part]:
    """The accuracy on the rows trained on, and by how much that on test rows is above that of guessing."""
    on_train, above_guess = [], []
    for repeat in range(SETTINGS[budget]["repeats"]):
        network = trained(task.with_random_labels(1.0), WIDTH, budget, repeat)
        on_train.append(network.accuracy(network.problem.train))
        above_guess.append(network.accuracy(network.problem.held_out) - network.problem.uninformed_score)
    effect = f"accuracy on the rows trained on after {EPOCHS[budget]} epochs"
    return [
        Part(effect, np.array(on_train), FITTED, ratio=False),
        Part("accuracy on test rows less that of guessing", np.array(above_guess), GUESSED, ratio=False),
    ]


r01_random_labels = Claim(
    name="r01_random_labels",
    id="random-labels",
    statement="A network fits random labels on the rows it is trained on, and guesses on test rows",
    source="Zhang et al. 2017",
    published="100 % on training rows, chance on test rows (CIFAR-10 and ImageNet)",
    computed=computed,
    limits=of_classifiers,
)
