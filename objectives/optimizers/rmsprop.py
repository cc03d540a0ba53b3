"""RMSprop: the gradient divided by its running root mean square."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, decay, epsilon, learning_rate
from cooldown.objectives.relations import KnownArm, Native


def update(theta: Any, gradient: Any, square: Any, learning_rate: Any, t: Any, rho: Any, epsilon: Any) -> Any:
    """E ← ρE + (1−ρ)g²; θ ← θ − η g / (√E + ε), with ε outside the root and no centring, as in torch."""
    square = rho * square + (1 - rho) * gradient * gradient
    return theta - learning_rate * gradient / (np.sqrt(square) + epsilon), square


rmsprop = Optimizer(
    name="rmsprop",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-3, 1e-4, 0.1),
        decay("rho", 0.9, 0.5, 0.999, "decay ρ of the squared gradients"),
        epsilon(1e-8),
    ),
    formula="E ← ρE + (1−ρ)g²; θ ← θ − η g / (√E + ε)",
    reference="Hinton 2012, Coursera lecture 6e",
    colour="#009E73",
    # Keras's has ε under the root.
    native={
        "torch": Native("RMSprop", ("alpha={rho}", "eps={epsilon}")),
        "optax": Native("rmsprop", ("decay={rho}", "eps={epsilon}", "eps_in_sqrt=False")),
    },
    arms=(KnownArm("rmsprop", "C10: RMSprop, Adadelta and Adam perform alike"),),
)
