"""AdaMax: Adam with the largest recent gradient in place of the root mean square."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def update(
    theta: Any, gradient: Any, m: Any, largest: Any, learning_rate: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any
) -> Any:
    """m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); θ ← θ − η/(1−β₁ᵗ) · m/u. Algorithm 2 of the paper, ε as in torch."""
    m = beta1 * m + (1 - beta1) * gradient
    largest = np.maximum(beta2 * largest, np.abs(gradient) + epsilon)
    return theta - learning_rate / (1 - beta1**t) * m / largest, m, largest


adamax = Optimizer(
    name="adamax",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(2e-3, 1e-4, 0.1),
        *moments("decay β₂ of the largest gradient"),
        epsilon(1e-8),
    ),
    formula="m ← β₁m + (1−β₁)g; u ← max(β₂u, |g| + ε); θ ← θ − η/(1−β₁ᵗ) · m/u",
    reference="Kingma & Ba 2015, Algorithm 2",
    colour="#117733",
    # Keras's adds ε after the maximum.
    native={
        "torch": Native("Adamax", ("betas=({beta1}, {beta2})", "eps={epsilon}")),
        "optax": Native("adamax", ("b1={beta1}", "b2={beta2}", "eps={epsilon}")),
    },
    arms=(KnownArm("adamax", "Adam with the largest gradient in place of the root mean square"),),
)
