"""AMSGrad: Adam with a denominator that never shrinks."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def update(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    largest: Any,
    learning_rate: Any,
    t: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
) -> Any:
    """m, v as in Adam; u ← max(u, v); θ ← θ − η m̂/(√û + ε), with û = u/(1−β₂ᵗ), as in torch.

    The paper has no bias correction; optax takes the maximum of the corrected v̂.
    """
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    largest = np.maximum(largest, v)
    root = np.sqrt(largest) / np.sqrt(1 - beta2**t)
    return theta - learning_rate / (1 - beta1**t) * m / (root + epsilon), m, v, largest


amsgrad = Optimizer(
    name="amsgrad",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-3, 1e-4, 0.1),
        *moments(),
        epsilon(1e-8),
    ),
    formula="m, v as in Adam; u ← max(u, v); θ ← θ − η m̂/(√(u/(1−β₂ᵗ)) + ε)",
    reference="Reddi, Kale & Kumar 2018",
    colour="#999933",
    # optax's takes the maximum of the corrected second moments; Keras's adds ε before they are corrected.
    native={
        "torch": Native("Adam", ("betas=({beta1}, {beta2})", "eps={epsilon}", "amsgrad=True")),
    },
    arms=(KnownArm("amsgrad", "Adam with a denominator that never shrinks"),),
)
