"""Adam: bias-corrected running moments of the gradient."""

from typing import Any

import numpy as np

from cooldown.objectives.optimizer import Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import Contains, KnownArm, Native


def update(
    theta: Any, gradient: Any, m: Any, v: Any, learning_rate: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any
) -> Any:
    """m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; θ ← θ − η m̂/(√v̂ + ε). Algorithm 1 of the paper."""
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    step_size = learning_rate / (1 - beta1**t)
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    return theta - step_size * m / (root + epsilon), m, v


adam = Optimizer(
    name="adam",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1e-3, 1e-4, 0.1),
        *moments(),
        epsilon(1e-8),
    ),
    formula="m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; m̂ = m/(1−β₁ᵗ); v̂ = v/(1−β₂ᵗ); θ ← θ − η m̂/(√v̂ + ε)",
    reference="Kingma & Ba 2015",
    colour="#1A7FC4",
    # Keras's adds ε before the second moment is corrected.
    native={
        "torch": Native("Adam", ("betas=({beta1}, {beta2})", "eps={epsilon}")),
        "optax": Native("adam", ("b1={beta1}", "b2={beta2}", "eps={epsilon}")),
    },
    differs={"sklearn": "it adds Adam's epsilon before the second moment is corrected"},
    # With an ε this large the denominator hardly varies. Source: Choi et al. 2019.
    contains=(Contains(("sgd", "momentum"), "epsilon", at_least=0.1),),
    arms=(KnownArm("adam", "C2: the usual choice, at a constant rate"),),
)
