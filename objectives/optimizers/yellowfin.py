"""YellowFin: momentum SGD that tunes its momentum and its learning rate itself, at every update.

It keeps three estimates: the range of curvatures, taking the squared norm of the gradient as the curvature of a
negative log-likelihood; the variance of the gradient; and the distance to the optimum. The momentum follows from these
in closed form.

This is Algorithm 1 of the paper. The authors' later code has other defaults: it averages the logarithms of h_max and
h_min, so that a single large curvature counts for less, clips the gradient to a norm of √h_max, and limits how fast
h_max may grow. Here the curvatures themselves are averaged, and gradients are clipped only by the strategy
`clip_norm`.
"""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Numbers, Optimizer, decay, learning_rate
from cooldown.objectives.relations import KnownArm

WINDOW = 20
"""Number of recent updates whose curvatures give the range, as in the paper."""

SLOW_START = 10 * WINDOW
"""Updates until the rate reaches its full size, because the first estimates are noisy."""

# Index of each number in the memory, after the window.
H_MAX, H_MIN, NORM, SQUARED_NORM, DISTANCE, MEMORY = (WINDOW + i for i in range(6))


def squared_gradient(
    theta: Any,
    gradient: Any,
    velocity: Any,
    mean: Any,
    square: Any,
    learning_rate: Any,
    t: Any,
    beta: Any,
    epsilon: Any,
) -> Any:
    """g², whose sum is the curvature h."""
    return gradient * gradient


def variance(
    theta: Any,
    gradient: Any,
    velocity: Any,
    mean: Any,
    square: Any,
    learning_rate: Any,
    t: Any,
    beta: Any,
    epsilon: Any,
) -> Any:
    """One parameter's part of the gradient's variance: |avg(g²) − avg(g)²|, both bias-corrected."""
    weight = 1 - beta**t
    first = (beta * mean + (1 - beta) * gradient) / weight
    second = (beta * square + (1 - beta) * gradient * gradient) / weight
    return np.abs(second - first * first)


def tuned(sums: Any, memory: Any, t: Any, beta: Any, epsilon: Any) -> Any:
    """The momentum μ and the rate α of update t. Algorithms 2 to 4 of the paper, `single step` in closed form.

    min over μ of μD² + α²C, where α = (1−√μ)²/h_min and √μ ≥ (√κ−1)/(√κ+1), κ = h_max/h_min. Without the bound the
    optimum is the real root of y³ + py + p = 0 in y = √μ − 1, p = D²h_min²/(2C). The objective has one minimum, so the
    solution is this root or the bound, whichever is larger. Cardano's formula is written with sinh to keep all digits.
    """
    h, weight = sums[0], 1 - beta**t
    memory[int(t - 1) % WINDOW] = h
    window = memory[: min(int(t), WINDOW)]
    for place, value in (
        (H_MAX, window.max()),
        (H_MIN, window.min()),
        (NORM, np.sqrt(h)),
        (SQUARED_NORM, h),
    ):
        memory[place] = beta * memory[place] + (1 - beta) * value
    memory[DISTANCE] = beta * memory[DISTANCE] + (1 - beta) * memory[NORM] / (memory[SQUARED_NORM] + epsilon * weight)
    h_max, h_min = memory[H_MAX] / weight + epsilon, memory[H_MIN] / weight + epsilon
    distance = memory[DISTANCE] / weight + epsilon
    p = distance * distance * h_min * h_min / (2 * (sums[1] + epsilon))
    free = 1 - 2 * np.sqrt(p / 3) * np.sinh(np.arcsinh(1.5 * np.sqrt(3 / p)) / 3)
    root_of_kappa = np.sqrt(h_max / h_min)
    root = max(free, (root_of_kappa - 1) / (root_of_kappa + 1))
    return root * root, (1 - root) * (1 - root) / h_min * min(1.0, t / SLOW_START)


def update(
    theta: Any,
    gradient: Any,
    velocity: Any,
    mean: Any,
    square: Any,
    learning_rate: Any,
    t: Any,
    beta: Any,
    epsilon: Any,
    momentum: Any,
    rate: Any,
) -> Any:
    """v ← μ v + g; θ ← θ − η α v: momentum SGD with the tuned μ and α, and η as a factor of α."""
    velocity = momentum * velocity + gradient
    mean = beta * mean + (1 - beta) * gradient
    square = beta * square + (1 - beta) * gradient * gradient
    return theta - learning_rate * rate * velocity, velocity, mean, square


yellowfin = Optimizer(
    name="yellowfin",
    family="sgd",
    update=update,
    hyperparameters=(
        learning_rate(1.0, 0.03, 30.0),
        decay("beta", 0.999, 0.9, 0.9999, "decay β of the running estimates"),
        Hyperparameter(
            "epsilon",
            1e-6,
            1e-10,
            1e-2,
            Scale.LOG,
            searched=False,
            open_minimum=True,
            meaning="added to each estimate, so that none is zero",
        ),
    ),
    formula="μ, α = argmin μD² + α²C, √μ ≥ (√κ−1)/(√κ+1), α = (1−√μ)²/h_min; v ← μ v + g; θ ← θ − ηα v",
    reference="Zhang, Mitliagkas & Ré 2017, Algorithm 1",
    note=(
        "yellowfin's learning rate multiplies the rate that it tunes itself; because of its slow start of 200 updates, "
        "short paths need a large one."
    ),
    numbers=Numbers(tuned, size=MEMORY, terms=(squared_gradient, variance)),
    colour="#CC79A7",
    arms=(KnownArm("yellowfin", "momentum SGD that tunes itself, compared with tuning by search"),),
)
