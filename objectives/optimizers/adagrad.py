"""Adagrad: each parameter's step shrinks with the sum of its squared gradients."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, epsilon, learning_rate
from cooldown.objectives.relations import KnownArm, Native


def update(theta: Any, gradient: Any, total: Any, learning_rate: Any, t: Any, epsilon: Any) -> Any:
    """G ← G + g²; θ ← θ − η g / (√G + ε), with ε outside the root, as in torch.

    The paper and the survey write √(G + ε).
    """
    total = total + gradient * gradient
    return theta - learning_rate * gradient / (np.sqrt(total) + epsilon), total


adagrad = Optimizer(
    name="adagrad",
    family="adaptive",
    update=update,
    hyperparameters=(learning_rate(0.01, 1e-3, 1.0), epsilon(1e-10)),
    formula="G ← G + g²; θ ← θ − η g / (√G + ε)",
    reference="Duchi, Hazan & Singer 2011",
    idle_without_gradient=True,
    colour="#9970AB",
    # optax's and Keras's have ε under the root.
    native={
        "torch": Native("Adagrad", ("eps={epsilon}",)),
    },
    arms=(KnownArm("adagrad", "C9: for sparse features, without a schedule"),),
)
