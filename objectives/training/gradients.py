"""What strategies do to a population's gradients before the rule sees them: pure functions on (R, P).

A replicate that does not use one has the value that changes nothing, to the bit: no bound, no noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def clipped(gradient: NDArray[Any], bounds: NDArray[Any]) -> NDArray[Any]:
    """g · min(1, c/‖g‖) for every replicate: gradients (R, P) of norms at most `bounds` (R,); infinite for no bound."""
    # In float64, where the square of a float32 does not overflow; and a factor that is not needed is never computed.
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
