"""Schedule-free AdamW: as schedule-free SGD, with Adam's second moment and decoupled weight decay in the step of z."""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Optimizer, decay, epsilon, learning_rate
from cooldown.objectives.relations import KnownArm


def update(
    theta: Any,
    gradient: Any,
    ahead: Any,
    largest: Any,
    total: Any,
    v: Any,
    learning_rate: Any,
    t: Any,
    beta: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
) -> Any:
    """z ← z − η(g(y)/(√v̂ + ε) + λy); x ← x + c(z − x), c = η_max²/Σ η_max²: slots as in schedule_free_sgd."""
    v = beta2 * v + (1 - beta2) * gradient * gradient
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    # Not the rate itself, which is no tensor in torch.
    largest = np.maximum(largest, 0 * largest + learning_rate)
    total = total + largest * largest
    weight = largest * largest / (total + 1e-30)
    moved = ahead - learning_rate * (gradient / (root + epsilon) + weight_decay * theta)
    behind = (1 - weight) * moved
    return theta + weight * moved + (1 - beta) * (behind - ahead), behind, largest, total, v


def reported(
    theta: Any, ahead: Any, largest: Any, total: Any, v: Any, beta: Any, beta2: Any, epsilon: Any, weight_decay: Any
) -> Any:
    """x = y − (1−β)(z − x)."""
    return theta - (1 - beta) * ahead


schedule_free_adamw = Optimizer(
    name="schedule_free_adamw",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(2.5e-3, 1e-4, 0.1),
        decay("beta", 0.9, 0.5, 0.99, "weight β of the average x in the point y of the gradient"),
        decay("beta2", 0.999, 0.9, 0.9999, "decay β₂ of the second moment"),
        epsilon(1e-8),
        Hyperparameter("weight_decay", 0.01, 1e-4, 1.0, Scale.LOG, meaning="decoupled weight decay λ"),
    ),
    formula=(
        "v as in Adam; y = (1−β)z + βx; z ← z − η(g(y)/(√v̂ + ε) + λy); x ← x + c(z − x), c = η_max²/Σ η_max²; x is "
        "reported"
    ),
    reference="Defazio et al. 2024",
    reported=reported,
    colour="#2A9DA8",
    arms=(KnownArm("schedule_free_adamw", "AdamW with an average in place of a schedule"),),
)
