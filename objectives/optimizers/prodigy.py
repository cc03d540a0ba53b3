"""Prodigy: Adam that estimates its own learning rate, the distance d from the start to the solution.

The estimate only grows: d ← max(d, r/‖s‖₁), from two averages over the run: r of ⟨g, x₀ − x⟩ and s of g, both weighted
by d² and by the rate. Here s is kept divided by its latest weight, so that its norm is a sum over the parameters.
"""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Numbers, Optimizer, epsilon, learning_rate, moments
from cooldown.objectives.relations import KnownArm, Native


def alignment(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    s: Any,
    start: Any,
    learning_rate: Any,
    t: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    initial_distance: Any,
) -> Any:
    """One parameter's part of η⟨g, x₀ − x⟩; in the first update, x is the start x₀."""
    return learning_rate * gradient * (start - theta) * np.sign(t - 1)


def size(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    s: Any,
    start: Any,
    learning_rate: Any,
    t: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    initial_distance: Any,
) -> Any:
    """One parameter's part of ‖s‖₁, divided by the weight of this update."""
    return np.abs(np.sqrt(beta2) * s + learning_rate * gradient)


def estimate(
    sums: Any, memory: Any, t: Any, beta1: Any, beta2: Any, epsilon: Any, weight_decay: Any, initial_distance: Any
) -> Any:
    """The distance d before and after update t, and the ratio of the weights of this update and the next.

    memory: d, and the average r.
    """
    before = memory[0] if t > 1 else initial_distance
    correction = np.sqrt(1 - beta2**t) / (1 - beta1**t)
    weight = before * before / initial_distance * correction
    memory[1] = np.sqrt(beta2) * memory[1] + weight * sums[0]
    norm = weight * sums[1]
    after = np.maximum(before, memory[1] / norm if norm != 0 else 0.0)
    memory[0] = after
    following = after * after / initial_distance * np.sqrt(1 - beta2 ** (t + 1)) / (1 - beta1 ** (t + 1))
    return before, after, weight / following


def update(
    theta: Any,
    gradient: Any,
    m: Any,
    v: Any,
    s: Any,
    start: Any,
    learning_rate: Any,
    t: Any,
    beta1: Any,
    beta2: Any,
    epsilon: Any,
    weight_decay: Any,
    initial_distance: Any,
    before: Any,
    after: Any,
    carried: Any,
) -> Any:
    """m, v of dg as in Adam; θ ← θ − ηd√(1−β₂ᵗ)/(1−β₁ᵗ) (m/(√v + dε) + λθ). As in optax, with its bias correction."""
    start = start + (1 - np.sign(t - 1)) * theta
    m = beta1 * m + (1 - beta1) * before * gradient
    v = beta2 * v + (1 - beta2) * before * before * gradient * gradient
    s = carried * (np.sqrt(beta2) * s + learning_rate * gradient)
    rate = learning_rate * before * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    return theta - rate * (m / (np.sqrt(v) + after * epsilon) + weight_decay * theta), m, v, s, start


prodigy = Optimizer(
    name="prodigy",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(1.0, 0.1, 10.0),
        *moments(),
        epsilon(1e-8),
        Hyperparameter(
            "weight_decay", 0.0, 1e-4, 1.0, Scale.LOG, searched=False, meaning="decay λ, in units of the estimated rate"
        ),
        Hyperparameter(
            "initial_distance",
            1e-6,
            1e-8,
            1e-3,
            Scale.LOG,
            searched=False,
            open_minimum=True,
            meaning="first estimate d₀ of the distance, which should be too small",
        ),
    ),
    formula=(
        "η′ = ηd√(1−β₂ᵗ)/(1−β₁ᵗ); r ← √β₂ r + (d/d₀)η′⟨g, x₀ − θ⟩; s ← √β₂ s + (d/d₀)η′g; m ← β₁m + (1−β₁)dg; "
        "v ← β₂v + (1−β₂)d²g²; θ ← θ − η′(m/(√v + d′ε) + λθ), d′ = max(d, r/‖s‖₁); d ← d′"
    ),
    reference="Mishchenko & Defazio 2023, Algorithm 4",
    numbers=Numbers(estimate, size=2, terms=(alignment, size)),
    note="prodigy's learning rate multiplies the rate that it estimates itself; 1 is its authors' choice.",
    colour="#4B7F52",
    native={
        "optax": Native(
            "contrib.prodigy",
            (
                "betas=({beta1}, {beta2})",
                "eps={epsilon}",
                "estim_lr0={initial_distance}",
                "weight_decay={weight_decay}",
            ),
        )
    },
    arms=(KnownArm("prodigy", "Adam that estimates its learning rate, compared with tuning by search"),),
)
