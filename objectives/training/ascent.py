"""`Ascent`: sharpness-aware minimization, the gradient at a point a step uphill of the parameters."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Model


class Ascent:
    """For R replicates on one model, each with its radius ρ (R,)."""

    def __init__(self, model: Model, radii: NDArray[Any]) -> None:
        # Buffers of its own, because a model's are bound to the array of the parameters.
        self._model, self._radii = copy.copy(model), radii
        self._point = np.empty((0, 0), radii.dtype)

    def gradient(
        self, theta: NDArray[Any], gradient: NDArray[Any], batch: NDArray[np.int64], drawn: Any
    ) -> NDArray[Any]:
        """(R, P) the gradients at θ + ρ g/‖g‖, from those at `theta` (R, size), on the same `batch` (R, B) and with the
        same random numbers `drawn`. A zero gradient leads nowhere. What the model changes in its point, such as running
        statistics, is lost.
        """
        if self._point.shape != theta.shape:
            self._point = np.empty_like(theta)
        self._point[:] = theta
        # In float64, where the square of a float32 does not overflow.
        norms = np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=1))
        scales = np.divide(self._radii, norms, out=np.zeros_like(norms), where=norms != 0)
        self._point[:, : gradient.shape[1]] += scales.astype(theta.dtype)[:, None] * gradient
        return self._model.loss_and_gradient(self._point, batch, *drawn)[1]

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Remove all replicates but `kept` (R,)."""
        self._radii = self._radii[kept]
