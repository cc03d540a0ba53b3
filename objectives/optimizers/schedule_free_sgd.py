"""Schedule-free SGD: gradients are taken between two sequences, of which the averaged one is reported.

The paper has three: z, which SGD moves; x, the average of z, which is reported; and y = (1−β)z + βx, where gradients
are taken, and which is what is trained here. The state is z − x alone: z and x follow from it and y. The weights of the
average follow the squared largest rate so far, so that a warm-up counts for little; a formula sees no state but its
slots, so these two numbers are the same for every parameter.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, decay, learning_rate
from cooldown.objectives.relations import KnownArm, Native

OPTAX_REPORTED = "contrib.schedule_free_eval_params"
"""optax's function from state and parameters to x."""


def update(
    theta: Any, gradient: Any, ahead: Any, largest: Any, total: Any, learning_rate: Any, t: Any, beta: Any
) -> Any:
    """y moves with x and with β-weighted z − x: z ← z − ηg(y); x ← x + c(z − x), c = η_max²/Σ η_max²."""
    # Not the rate itself, which is no tensor in torch.
    largest = np.maximum(largest, 0 * largest + learning_rate)
    total = total + largest * largest
    # Without a rate so far there is no weight either.
    weight = largest * largest / (total + 1e-30)
    moved = ahead - learning_rate * gradient
    behind = (1 - weight) * moved
    return theta + weight * moved + (1 - beta) * (behind - ahead), behind, largest, total


def reported(theta: Any, ahead: Any, largest: Any, total: Any, beta: Any) -> Any:
    """x = y − (1−β)(z − x)."""
    return theta - (1 - beta) * ahead


def in_optax(values: Mapping[str, Any], _: int) -> Native | None:
    """optax's own, which divides by β, and counts the updates of a schedule from 1."""
    if not values["beta"]:
        return None
    return Native("contrib.schedule_free_sgd", ("b1={beta}",), steady=True, reported=OPTAX_REPORTED)


schedule_free_sgd = Optimizer(
    name="schedule_free_sgd",
    family="sgd",
    update=update,
    hyperparameters=(
        learning_rate(1.0, 0.01, 10.0),
        decay("beta", 0.9, 0.5, 0.99, "weight β of the average x in the point y of the gradient"),
    ),
    formula="y = (1−β)z + βx; z ← z − ηg(y); x ← x + c(z − x), c = η_max²/Σ η_max²; x is reported",
    reference="Defazio et al. 2024",
    reported=reported,
    colour="#B8860B",
    native={"optax": in_optax},
    arms=(KnownArm("schedule_free_sgd", "SGD with an average in place of a schedule"),),
)
