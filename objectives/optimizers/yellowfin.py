"""YellowFin: momentum SGD that sets its momentum and its rate itself, at every update.

Three estimates are kept: the range of curvatures, with the squared norm of the gradient as the curvature of a
negative log-likelihood; the variance of the gradient; the distance to the optimum. From these the momentum follows in
closed form.

This is Algorithm 1 of the paper. The defaults that its authors published later differ: they average the logarithms of
h_max and h_min, so that a single large curvature counts for less, clip the gradient to a norm of √h_max, and limit how
fast h_max may grow. Here the curvatures themselves are averaged, and nothing is clipped unless the strategy `clip_norm`
asks for it.
"""

from typing import Any

import numpy as np

from cooldown.objectives.hyperparameters import Hyperparameter, Scale
from cooldown.objectives.optimizer import Numbers, Optimizer, decay, learning_rate
from cooldown.objectives.relations import KnownArm

WINDOW = 20
"""Updates whose curvatures make the range, as in the paper."""

SLOW_START = 10 * WINDOW
"""Updates until the rate has its full size: the first estimates are noise."""

# Where each number lies in the memory, after the window.
H_MAX, H_MIN, NORM, SQUARED_NORM, DISTANCE, MEMORY = (WINDOW + i for i in range(6))


def squared_gradient(gradient: Any, velocity: Any, mean: Any, square: Any, t: Any, beta: Any, epsilon: Any) -> Any:
    """g², whose sum is the curvature h."""
    return gradient * gradient


def variance(gradient: Any, velocity: Any, mean: Any, square: Any, t: Any, beta: Any, epsilon: Any) -> Any:
    """One parameter's part of the gradient's variance: |avg(g²) − avg(g)²|, both free of their bias towards 0."""
    weight = 1 - beta**t
    first = (beta * mean + (1 - beta) * gradient) / weight
    second = (beta * square + (1 - beta) * gradient * gradient) / weight
    return np.abs(second - first * first)


def tuned(sums: Any, memory: Any, t: Any, beta: Any, epsilon: Any) -> Any:
    """The momentum μ and the rate α of update t. Algorithms 2 to 4 of the paper, `single step` in closed form.

    min over μ of μD² + α²C, where α = (1−√μ)²/h_min and √μ ≥ (√κ−1)/(√κ+1), κ = h_max/h_min. Without the bound its
    optimum is the real root of y³ + py + p = 0 in y = √μ − 1, p = D²h_min²/(2C); the objective has one minimum, so that
    the bound, where it is larger, is the answer. Cardano's formula is written with sinh, which loses no digits.
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
            meaning="what is added to each estimate, so that none is zero",
        ),
    ),
    formula="μ, α = argmin μD² + α²C, √μ ≥ (√κ−1)/(√κ+1), α = (1−√μ)²/h_min; v ← μ v + g; θ ← θ − ηα v",
    reference="Zhang, Mitliagkas & Ré 2017, Algorithm 1",
    note=(
        "yellowfin's rate is a factor of the rate that it tunes itself; its slow start of 200 updates asks for a large "
        "one on short paths."
    ),
    numbers=Numbers(tuned, size=MEMORY, terms=(squared_gradient, variance)),
    colour="#CC79A7",
    arms=(KnownArm("yellowfin", "momentum SGD that tunes itself, against tuning by search"),),
)
