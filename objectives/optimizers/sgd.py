"""Stochastic gradient descent: the step is the gradient."""

from typing import Any

from cooldown.objectives.optimizer import Optimizer, learning_rate
from cooldown.objectives.relations import KnownArm, Native


def update(theta: Any, gradient: Any, learning_rate: Any, t: Any) -> Any:
    """θ ← θ − η g."""
    return (theta - learning_rate * gradient,)


sgd = Optimizer(
    name="sgd",
    family="sgd",
    update=update,
    hyperparameters=(learning_rate(0.1, 1e-3, 10.0),),
    formula="θ ← θ − η g",
    reference="Robbins & Monro 1951",
    idle_without_gradient=True,
    colour="#AA3377",
    native={
        "torch": Native("SGD"),
        "optax": Native("sgd"),
        "keras": Native("SGD"),
        "sklearn": Native("sgd", ("momentum=0.0", "nesterovs_momentum=False")),
    },
    arms=(KnownArm("sgd", "the baseline: plain SGD at a constant rate"),),
)
