"""SGD with momentum (heavy ball)."""

from typing import Any

from cooldown.objectives import optimizer as _rule
from cooldown.objectives.optimizer import Optimizer
from cooldown.objectives.relations import Contains, KnownArm, Native


def update(theta: Any, gradient: Any, velocity: Any, learning_rate: Any, t: Any, momentum: Any) -> Any:
    """v ← μ v + g; θ ← θ − η v. The rate multiplies the velocity, as in torch and optax.

    In the survey it multiplies the gradient, v ← μ v + η g: the same at a constant rate, but not under a schedule.
    """
    velocity = momentum * velocity + gradient
    return theta - learning_rate * velocity, velocity


momentum = Optimizer(
    name="momentum",
    family="sgd",
    update=update,
    hyperparameters=(_rule.learning_rate(0.05, 1e-3, 3.0), _rule.momentum()),
    formula="v ← μ v + g; θ ← θ − η v",
    reference="Polyak 1964; Qian 1999",
    colour="#D55E00",
    native={
        "torch": Native("SGD", ("momentum={momentum}",)),
        "optax": Native("sgd", ("momentum={momentum}",)),
        # Keras's velocity includes the rate.
        "keras": Native("SGD", ("momentum={momentum}",), steady=True),
        "sklearn": Native("sgd", ("momentum={momentum}", "nesterovs_momentum=False")),
    },
    # Up to this μ it averages over at most two updates: nearly SGD at a larger rate.
    contains=(Contains(("sgd",), "momentum", at_most=0.5),),
    arms=(KnownArm("momentum", "SGD with momentum at a constant rate"),),
)
