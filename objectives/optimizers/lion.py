"""Lion: steps along the sign of the momentum, equally large for every parameter, with decoupled weight decay."""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Optimizer, decay, learning_rate
from cooldown.objectives.relations import Native


def update(
    theta: Any, gradient: Any, m: Any, learning_rate: Any, t: Any, beta1: Any, beta2: Any, weight_decay: Any
) -> Any:
    """θ ← θ − η(sign(β₁m + (1−β₁)g) + λθ); m ← β₂m + (1−β₂)g. Algorithm 2 of the paper, as in optax.

    A step has size η whatever the gradient, so good rates are three to ten times smaller than Adam's.
    """
    direction = np.sign(beta1 * m + (1 - beta1) * gradient)
    m = beta2 * m + (1 - beta2) * gradient
    return theta - learning_rate * (direction + weight_decay * theta), m


lion = Optimizer(
    name="lion",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-4, 3e-5, 0.03),
        decay("beta1", 0.9, 0.5, 0.99, "decay β₁ of the momentum in the step"),
        decay("beta2", 0.99, 0.9, 0.9999, "decay β₂ of the stored momentum"),
        Hyperparameter("weight_decay", 1e-3, 1e-4, 1.0, Scale.LOG, meaning="decoupled weight decay λ"),
    ),
    formula="θ ← θ − η(sign(β₁m + (1−β₁)g) + λθ); m ← β₂m + (1−β₂)g",
    reference="Chen et al. 2023",
    colour="#6A1FE8",
    # torch has none; Keras's uses the argument for λ that the strategy weight_decay needs.
    native={"optax": Native("lion", ("b1={beta1}", "b2={beta2}", "weight_decay={weight_decay}"))},
)
