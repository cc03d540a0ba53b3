"""A noisy quadratic: known curvature and minimum, and noisy mini-batch gradients.

Row i of its data is a point x_i; its loss is the quadratic ½(θ − x_i)ᵀH(θ − x_i). So the minimum of a batch is the mean
of its rows, and the minimum of all rows is their mean.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Indices, Parameters

Bowl = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(eq=False)
class Quadratic:
    """The mean over a batch's rows of ½(θ − x_i)ᵀH(θ − x_i), minus the minimum of its mean over all rows.

    load: () -> points x (n, d) and Hessian H (d, d), symmetric and positive definite. Called once, when needed.

    The loss over all rows is ½(θ − x̄)ᵀH(θ − x̄), with the minimum 0 at their mean x̄. A batch's gradient is
    H(θ − x̄_batch), whose noise has the covariance HΣH/B for batches of B rows, where Σ is that of the points.
    Source: the noisy quadratic of Schaul, Zhang & LeCun 2013, No More Pesky Learning Rates, and Zhang et al. 2019.
    """

    load: Callable[[], Bowl]
    _rows: dict[np.dtype[Any], "_Rows"] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # The points are included, because those of another machine may differ in the last bit.
        return {"load": self.load, "data": self.data, "_rows": {}}

    @cached_property
    def data(self) -> Bowl:
        """The points x (n, d) and the Hessian H (d, d)."""
        points, hessian = self.load()
        return np.ascontiguousarray(points, np.float64), np.ascontiguousarray(hessian, np.float64)

    @cached_property
    def minimum(self) -> NDArray[np.float64]:
        """(d,) the minimum of the loss over all rows, where it is 0: the mean point."""
        return np.asarray(self.data[0].mean(axis=0))

    @property
    def size(self) -> int:
        """P = d, the number of parameters."""
        return len(self.data[1])

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(P,) initial parameters: standard normal."""
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta: Parameters, indices: Indices) -> tuple[Parameters, Parameters]:
        """Mean loss (R,) and gradient (R, P) for `theta` (R, P), each replicate on its rows `indices` (R, B)."""
        rows = self._in_precision(theta.dtype)
        return self._at(theta, rows, _mean(rows.pulls[indices], 1), _mean(rows.offsets[indices], 1))

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[Parameters, Parameters]:
        """Mean loss (R,) on the rows `indices` (m,), and NaN (R,), because a model without predictions has no score."""
        rows = self._in_precision(theta.dtype)
        losses, _ = self._at(theta, rows, rows.pulls[indices].mean(axis=0), rows.offsets[indices].mean())
        return losses, np.full(len(theta), np.nan)

    def _at(self, theta: Parameters, rows: "_Rows", pull: Parameters, offset: Any) -> tuple[Parameters, Parameters]:
        """Losses (R,) and gradients (R, P) where the batches' mean pull is (R, P) or (P,), their offset (R,) or ()."""
        away = theta - rows.minimum
        # One product per replicate: the rounding of a joint product would depend on R.
        curved = np.matmul(away[:, None], rows.hessian)[:, 0]
        return (away * (0.5 * curved - pull)).sum(axis=1) + offset, curved - pull

    def _in_precision(self, dtype: np.dtype[Any]) -> "_Rows":
        """The rows as they enter the arithmetic of `dtype`."""
        if dtype not in self._rows:
            points, hessian = self.data
            away = points - self.minimum
            pulls = away @ hessian
            heights = 0.5 * (away * pulls).sum(axis=1)
            self._rows[dtype] = _Rows(
                *(array.astype(dtype) for array in (self.minimum, hessian, pulls, heights - heights.mean()))
            )
        return self._rows[dtype]


def _mean(values: Parameters, axis: int) -> Parameters:
    """`values.mean(axis)` to the bit, in half the time, which is most of an update's here."""
    return np.asarray(np.add.reduce(values, axis) / values.shape[axis])


class _Rows(NamedTuple):
    """With δ = θ − x̄ and a_i = x_i − x̄, the loss of row i is ½δᵀHδ − δᵀ(Ha_i) + offset_i: the terms without θ.

    This form avoids cancellation near the minimum.
    """

    minimum: Parameters
    """(d,) x̄."""
    hessian: Parameters
    """(d, d) H."""
    pulls: Parameters
    """(n, d) Ha_i, the row's own part of the gradient."""
    offsets: Parameters
    """(n,) ½a_iᵀHa_i minus its mean over all rows."""
