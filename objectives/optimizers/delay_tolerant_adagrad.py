"""Delay-tolerant Adagrad: Adagrad that makes up for gradients which come late (AdaptiveRevision)."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, learning_rate


def update(theta: Any, gradient: Any, total: Any, largest: Any, learning_rate: Any, t: Any, missed: Any = 0.0) -> Any:
    """b = the sum of the gradients missed; z ← z + g² + 2gb; z′ ← max(z, z′), both 1 at first;
    θ ← θ − (η/√z′) g + (η/√z′_before − η/√z′) b. Algorithm 2 of the paper.

    total, largest: z − 1 and z′ − 1. Without delays it is Adagrad with z = 1 at first.
    """
    total = total + gradient * gradient + 2 * gradient * missed
    before = 1 / np.sqrt(1 + largest)
    largest = np.maximum(largest, total)
    after = 1 / np.sqrt(1 + largest)
    return theta - learning_rate * (after * gradient - (before - after) * missed), total, largest


delay_tolerant_adagrad = Optimizer(
    name="delay_tolerant_adagrad",
    family="adaptive",
    update=update,
    hyperparameters=(learning_rate(0.1, 1e-3, 3.0),),
    formula="b = Σ missed gradients; z ← z + g² + 2gb; z′ ← max(z, z′); θ ← θ − ηg/√z′ + (η/√z′_before − η/√z′)b",
    reference="McMahan & Streeter 2014",
    colour="#B07FE8",
)
