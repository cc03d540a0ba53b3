"""Adadelta: steps in the units of the parameters, from running averages of squared gradients and squared steps."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, decay, epsilon, learning_rate
from cooldown.objectives.relations import KnownArm, Native


def update(
    theta: Any, gradient: Any, square: Any, step: Any, learning_rate: Any, t: Any, rho: Any, epsilon: Any
) -> Any:
    """E ← ρE + (1−ρ)g²; Δ = √(D+ε)/√(E+ε) · g; D ← ρD + (1−ρ)Δ²; θ ← θ − ηΔ.

    The paper has no η; here, as in torch and optax, it multiplies the step and is 1 by default.
    """
    square = rho * square + (1 - rho) * gradient * gradient
    change = np.sqrt(step + epsilon) / np.sqrt(square + epsilon) * gradient
    step = rho * step + (1 - rho) * change * change
    return theta - learning_rate * change, square, step


adadelta = Optimizer(
    name="adadelta",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1.0, 0.1, 100.0),
        decay("rho", 0.9, 0.5, 0.999, "decay ρ of the squared gradients and of the squared steps"),
        epsilon(1e-6),
    ),
    formula="E ← ρE + (1−ρ)g²; Δ = √(D+ε)/√(E+ε) · g; D ← ρD + (1−ρ)Δ²; θ ← θ − ηΔ",
    reference="Zeiler 2012",
    colour="#8CBC68",
    native={
        "torch": Native("Adadelta", ("rho={rho}", "eps={epsilon}")),
        "optax": Native("adadelta", ("rho={rho}", "eps={epsilon}")),
        "keras": Native("Adadelta", ("rho={rho}", "epsilon={epsilon}")),
    },
    arms=(KnownArm("adadelta", "C10: RMSprop, Adadelta and Adam perform alike"),),
)
