"""Nesterov's accelerated gradient in the form that needs only the gradient at θ."""

from typing import Any

from cooldown.objectives import optimizer as _rule
from cooldown.objectives.optimizer import Optimizer
from cooldown.objectives.relations import Contains, KnownArm, Native


def update(theta: Any, gradient: Any, velocity: Any, learning_rate: Any, t: Any, momentum: Any) -> Any:
    """v ← μ v + g; θ ← θ − η (g + μ v), as in torch and optax.

    The survey evaluates the gradient at θ − μ v; at a constant rate the two differ by a change of variables.
    """
    velocity = momentum * velocity + gradient
    return theta - learning_rate * (gradient + momentum * velocity), velocity


nag = Optimizer(
    name="nag",
    family="sgd",
    update=update,
    hyperparameters=(_rule.learning_rate(0.05, 1e-3, 5.0), _rule.momentum()),
    formula="v ← μ v + g; θ ← θ − η (g + μ v)",
    reference="Nesterov 1983; Sutskever et al. 2013",
    colour="#E69F00",
    native={
        "torch": Native("SGD", ("momentum={momentum}", "nesterov=True")),
        "optax": Native("sgd", ("momentum={momentum}", "nesterov=True")),
        # Keras's velocity includes the rate.
        "keras": Native("SGD", ("momentum={momentum}", "nesterov=True"), steady=True),
        "sklearn": Native("sgd", ("momentum={momentum}", "nesterovs_momentum=True")),
    },
    # As for momentum.
    contains=(Contains(("sgd",), "momentum", at_most=0.5),),
    arms=(KnownArm("nag+cosine", "C8: Nesterov's momentum corrects earlier"),),
)
