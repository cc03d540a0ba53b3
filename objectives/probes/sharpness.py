"""Sharpness of a minimum after Keskar et al. 2017: how far the loss rises in a small box around the parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from cooldown.objectives.errors import InputError
from cooldown.objectives.random_streams import generator

LossAndGradient = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]


def sharpness(
    loss_and_gradient: LossAndGradient,
    theta: ArrayLike,
    epsilon: float = 1e-3,
    directions: ArrayLike | None = None,
    iterations: int = 10,
) -> float:
    """φ = 100 · (max f(x + Ay) − f(x))/(1 + f(x)) over |y_i| ≤ ε(|(A⁺x)_i| + 1), A⁺ the pseudo-inverse of A.

    loss_and_gradient: from parameters (P,) to the loss f and its gradient (P,), in float64. theta: (P,) the parameters
    x. epsilon: ε > 0; the paper's are 1e-3 and 5e-4. directions: A (P, p), the plane to search in, in the paper 100
    random columns; None for all of space, A = I. iterations: of L-BFGS-B, at least 1.

    The maximum is that of L-BFGS-B from half way to the corner that the gradient at x points to; where a component of
    it is zero, as at a minimum, the side is drawn from a stream of its own. The corner in the direction of the gradient
    that is found there is tried too, since the maximum of a convex function is at a corner. So φ is a lower bound.
    Raises InputError for what is no such numbers, and for a loss that is not finite at x.
    """
    x = _vector("theta", theta)
    if not np.isfinite(epsilon) or epsilon <= 0:
        raise InputError(f"sharpness(epsilon={epsilon!r}): must be a finite number greater than 0")
    if isinstance(iterations, bool) or not isinstance(iterations, int | np.integer) or iterations < 1:
        raise InputError(f"sharpness(iterations={iterations!r}): must be a whole number of at least 1")
    plane = None if directions is None else _plane(directions, len(x))
    inside = x if plane is None else np.linalg.pinv(plane) @ x
    bounds = epsilon * (np.abs(inside) + 1)
    best = at_x = float(loss_and_gradient(x.copy())[0])
    if not np.isfinite(at_x):
        raise InputError(f"sharpness(theta=...): the loss there is {at_x}")

    def negative(y: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal best
        loss, gradient = loss_and_gradient(x + (y if plane is None else plane @ y))
        slope = np.asarray(gradient, np.float64)
        # Beyond a loss that is not finite, L-BFGS-B has no way back.
        best = max(best, float(loss)) if np.isfinite(loss) else best
        return -float(loss), -(slope if plane is None else plane.T @ slope)

    _, uphill = negative(np.zeros(len(bounds)))
    side = generator(0, "sharpness").choice([-1.0, 1.0], len(bounds))
    start = 0.5 * bounds * np.where(uphill != 0, -np.sign(uphill), side)
    found: Any = minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([-bounds, bounds], axis=1),
        options={"maxiter": int(iterations)},
    )
    _, slope = negative(found.x)
    negative(np.where(slope != 0, -np.sign(slope) * bounds, found.x))
    return 100 * (best - at_x) / (1 + at_x)


def _vector(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        vector = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"sharpness({name}=...): must be numbers, got {values!r:.80}") from None
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise InputError(f"sharpness({name}=...): must be finite parameters (P,), got shape {vector.shape}")
    return vector


def _plane(directions: ArrayLike, size: int) -> NDArray[np.float64]:
    plane = np.asarray(directions, np.float64)
    if plane.ndim != 2 or plane.shape[0] != size or not plane.shape[1] or not np.isfinite(plane).all():
        raise InputError(f"sharpness(directions=...): must be finite numbers ({size}, p), got shape {plane.shape}")
    return plane
