"""Schedule-free AdamW: as schedule-free SGD, with Adam's second moment and decoupled weight decay in the step of z."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Optimizer, decay, epsilon, learning_rate
from cooldown.objectives.optimizers.schedule_free_sgd import OPTAX_REPORTED
from cooldown.objectives.relations import KnownArm, Native


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


def in_optax(values: Mapping[str, Any], _: int) -> Native | None:
    """optax's own, which divides by β, and counts the updates of a schedule from 1."""
    if not values["beta"]:
        return None
    settings = "b1={beta}", "b2={beta2}", "eps={epsilon}", "weight_decay={weight_decay}"
    return Native("contrib.schedule_free_adamw", settings, steady=True, reported=OPTAX_REPORTED)


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
    native={"optax": in_optax},
    arms=(KnownArm("schedule_free_adamw", "AdamW with an average in place of a schedule"),),
)
