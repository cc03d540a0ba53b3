"""RAdam: Adam without the adaptive step size while its variance is too large to be of use."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Numbers, Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def rectification(sums: Any, memory: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any) -> Any:
    """The weights of the adaptive and of the plain step: r and 0 if ρ > 5, else 0 and 1.

    Not in the formula, because ρ loses its digits in float32.
    """
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * t * beta2**t / (1 - beta2**t)
    if length > 5:
        return np.sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)), 0.0
    return 0.0, 1.0


def pure_rectification(memory: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any) -> Any:
    """What `rectification` computes; the memory (0,) is not used."""
    limit = 2 / (1 - beta2) - 1
    length = limit - 2 * t * beta2**t / (1 - beta2**t)
    rectified = length > 5
    # What is not chosen must be finite too.
    usable, largest = np.where(rectified, length, 6.0), max(limit, 6.0)
    factor = np.sqrt((usable - 4) * (usable - 2) * largest / ((largest - 4) * (largest - 2) * usable))
    return (np.where(rectified, factor, 0.0), np.where(rectified, 0.0, 1.0)), memory


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
    adaptive: Any,
    plain: Any,
) -> Any:
    """m, v as in Adam; θ ← θ − η r m̂ √(1−β₂ᵗ)/(√v + ε), or θ ← θ − η m̂. Algorithm 2 of the paper with torch's ε."""
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    step_size = learning_rate / (1 - beta1**t)
    scale = adaptive * np.sqrt(1 - beta2**t) / (np.sqrt(v) + epsilon) + plain
    return theta - step_size * m * scale, m, v


radam = Optimizer(
    name="radam",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-3, 1e-4, 0.1),
        *moments(),
        epsilon(1e-8),
    ),
    formula=(
        "m, v as in Adam; ρ∞ = 2/(1−β₂) − 1; ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ); if ρ > 5: r = √((ρ−4)(ρ−2)ρ∞/((ρ∞−4)(ρ∞−2)ρ)), "
        "θ ← θ − η r m̂ √(1−β₂ᵗ)/(√v + ε), else θ ← θ − η m̂"
    ),
    reference="Liu et al. 2020, Algorithm 2",
    numbers=Numbers(rectification, size=0, pure=pure_rectification),
    colour="#2E5FA8",
    # optax's adds ε after the second moment is corrected; Keras has none.
    native={"torch": Native("RAdam", ("betas=({beta1}, {beta2})", "eps={epsilon}"))},
    arms=(KnownArm("radam", "Adam that needs no warm-up"),),
)
