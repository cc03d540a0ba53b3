"""NAdam: Adam with Nesterov's momentum and Dozat's momentum schedule."""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Numbers, Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def momenta(sums: Any, memory: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any, momentum_decay: Any) -> Any:
    """μ_t = β₁(1 − ½·0.96^(ψt)), the next one, and the product of all so far, which is kept in `memory`."""
    now = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * t))
    following = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * (t + 1)))
    memory[0] = now if t == 1 else memory[0] * now
    return now, following, memory[0]


def pure_momenta(memory: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any, momentum_decay: Any) -> Any:
    """μ_t = β₁(1 − ½·0.96^(ψt)), the next one, and the product of all so far, which is the memory (1,)."""
    now = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * t))
    following = beta1 * (1 - 0.5 * 0.96 ** (momentum_decay * (t + 1)))
    memory = np.where(t == 1, now, memory * now)
    return (now, following, memory[0]), memory


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
    momentum_decay: Any,
    now: Any,
    following: Any,
    product: Any,
) -> Any:
    """m, v as in Adam; θ ← θ − η (μ_{t+1} m/(1−∏μ·μ_{t+1}) + (1−μ_t) g/(1−∏μ)) / (√v̂ + ε), as in torch."""
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient * gradient
    ahead = learning_rate * following / (1 - product * following)
    here = learning_rate * (1 - now) / (1 - product)
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    return theta - (ahead * m + here * gradient) / (root + epsilon), m, v


nadam = Optimizer(
    name="nadam",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(2e-3, 1e-4, 0.1),
        *moments(),
        epsilon(1e-8),
        Hyperparameter(
            "momentum_decay", 0.004, 4e-4, 0.04, Scale.LOG, searched=False, meaning="decay ψ of the momentum schedule"
        ),
    ),
    formula=(
        "m, v as in Adam; μ_t = β₁(1 − ½·0.96^(ψt)); θ ← θ − η (μ_{t+1} m/(1−∏μ·μ_{t+1}) + (1−μ_t) g/(1−∏μ)) / (√v̂ + ε)"
    ),
    reference="Dozat 2016",
    numbers=Numbers(momenta, size=1, pure=pure_momenta),
    colour="#44BB99",
    # optax's has no schedule of the momentum, Keras's has ψ = 1.
    native={
        "torch": Native("NAdam", ("betas=({beta1}, {beta2})", "eps={epsilon}", "momentum_decay={momentum_decay}")),
    },
    arms=(KnownArm("nadam", "Adam with Nesterov's momentum"),),
)
