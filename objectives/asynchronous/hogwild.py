"""Hogwild!: workers read and write the same parameters without a lock."""

from cooldown.objectives.asynchrony import Asynchronous
from cooldown.objectives.hyperparameters import Categorical

hogwild = Asynchronous(
    name="hogwild",
    own=(
        Categorical(
            "staleness_scaling", False, (True, False), meaning="whether a gradient's rate is divided by its staleness"
        ),
    ),
    staleness_scaling="staleness_scaling",
    formula="g at θ as its worker read it, τ updates ago; θ ← the rule's step from θ with g",
    reference="Niu, Recht, Ré & Wright 2011; rates by staleness: Zhang, Gupta, Lian & Liu 2016",
)
