"""The strategies that change a population's gradients before the rule: pure functions on (R, P).

A replicate without the strategy has a value that changes no bit: no bound, no noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def clipped(gradient: NDArray[Any], bounds: NDArray[Any]) -> NDArray[Any]:
    """g · min(1, c/‖g‖) for every replicate: gradients (R, P) of norms at most `bounds` (R,); inf for no bound."""
    # In float64, where the square of a float32 does not overflow. Factors are computed only where they are needed.
    norms = np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=1))
    factors = np.ones_like(norms)
    longer = norms > bounds
    factors[longer] = bounds[longer] / norms[longer]
    return np.asarray(gradient * factors.astype(gradient.dtype)[:, None])


def with_noise(
    gradient: NDArray[Any], step: int, variances: NDArray[Any], decays: NDArray[Any], normals: NDArray[Any]
) -> NDArray[Any]:
    """g + N(0, η/(1+s)^γ) at update index `step` = s: variances η (R,), decays γ (R,), standard `normals` (R, P)."""
    deviations = np.sqrt(variances / (1 + step) ** decays).astype(gradient.dtype)
    return np.asarray(gradient + deviations[:, None] * normals)
