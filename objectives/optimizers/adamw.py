"""AdamW: Adam with decoupled weight decay, subtracted from the parameters directly."""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def update(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    learning_rate: Any,
    t: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
) -> Any:
    """Adam's step and θ ← θ − ηλθ: the decay follows the schedule, not the scale of the gradient."""
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    step_size = learning_rate / (1 - beta1**t)
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    return theta - learning_rate * weight_decay * theta - step_size * m / (root + epsilon), m, v


adamw = Optimizer(
    name="adamw",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-3, 1e-4, 0.1),
        *moments(),
        epsilon(1e-8),
        Hyperparameter("weight_decay", 0.01, 1e-4, 1.0, Scale.LOG, meaning="decoupled weight decay λ"),
    ),
    formula="Adam, and θ ← θ − ηλθ",
    reference="Loshchilov & Hutter 2019",
    colour="#56B4E9",
    # Keras's adds ε before the second moment is corrected.
    native={
        "torch": Native("AdamW", ("betas=({beta1}, {beta2})", "eps={epsilon}", "weight_decay={weight_decay}")),
        "optax": Native("adamw", ("b1={beta1}", "b2={beta2}", "eps={epsilon}", "weight_decay={weight_decay}")),
    },
    arms=(KnownArm("adamw+cosine", "decoupled weight decay with cosine annealing, a common choice today"),),
)
