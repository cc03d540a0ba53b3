"""What strategies do to a population's gradients before the rule sees them: pure functions on (R, P).

A replicate that does not use one has the value that changes nothing, to the bit: no bound, no noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def clipped(gradient: NDArray[Any], bounds: NDArray[Any]) -> NDArray[Any]:
    """g · min(1, c/‖g‖) for every replicate: gradients (R, P) of norms at most `bounds` (R,); infinite for no bound."""
    norms = np.sqrt(np.square(gradient).sum(axis=1))
    return np.asarray(gradient * np.minimum(bounds / norms, gradient.dtype.type(1))[:, None])


def with_noise(
    gradient: NDArray[Any], step: int, variances: NDArray[Any], decays: NDArray[Any], normals: NDArray[Any]
) -> NDArray[Any]:
    """g + N(0, η/(1+s)^γ) at update index `step` = s: variances η (R,), decays γ (R,), standard `normals` (R, P)."""
    deviations = np.sqrt(variances / (1 + step) ** decays).astype(gradient.dtype)
    return np.asarray(gradient + deviations[:, None] * normals)
