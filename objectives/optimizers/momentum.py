"""SGD with momentum (heavy ball)."""

from typing import Any

from cooldown.objectives import optimizer as _rule
from cooldown.objectives.optimizer import Optimizer


def update(theta: Any, gradient: Any, velocity: Any, learning_rate: Any, t: Any, momentum: Any) -> Any:
    """v ← μ v + g; θ ← θ − η v. The rate stands outside the velocity, as in torch and optax.

    The survey has v ← μ v + η g, which is the same at a constant rate and differs under a schedule.
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
)
