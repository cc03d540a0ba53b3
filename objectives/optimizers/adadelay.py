"""AdaDelay: Adagrad-like rates that also shrink with a gradient's staleness."""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Optimizer, learning_rate


def update(
    theta: Any, gradient: Any, total: Any, learning_rate: Any, t: Any, smoothness: Any, staleness: Any = 0.0
) -> Any:
    """c² = (1/t) Σ (s/(s + τ_s)) g_s², s = 1…t; θ ← θ − η g/(L + c √(t + τ)). Equations (2.4) and (3.4) of the paper.

    total: t c².
    """
    total = total + t / (t + staleness) * gradient * gradient
    return theta - learning_rate * gradient / (smoothness + np.sqrt(total * (t + staleness) / t)), total


adadelay = Optimizer(
    name="adadelay",
    family="adaptive",
    update=update,
    hyperparameters=(
        learning_rate(0.1, 1e-3, 3.0),
        Hyperparameter(
            "smoothness", 1.0, 1e-3, 10.0, Scale.LOG, searched=False, open_minimum=True,
            meaning="L in the denominator",
        ),
    ),
    formula="c² ← mean of s/(s+τ_s) · g_s²; θ ← θ − ηg/(L + c√(t+τ)), τ the gradient's staleness",
    reference="Sra, Yu, Li & Smola 2016",
    colour="#6E7FBF",
)  # fmt: skip
