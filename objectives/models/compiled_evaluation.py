"""`CompiledEvaluation`: held-out rows of a classifier, measured in compiled code with the bits of `MLP.evaluate`."""

from functools import cache
from typing import Any

import numpy as np
from numba import float64, from_dtype, int64
from numpy.typing import NDArray

from cooldown.objectives.models.compiled_pass import address
from cooldown.objectives.models.evaluation_kernel import Rows, Steps, measure
from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP
from cooldown.objectives.models.numpy_loops import elementwise, loop_of, product, running_sum
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.problem import Indices, Parameters
from cooldown.objectives.scratch import Scratch


class CompiledEvaluation:
    """The measuring of replicates of `model`. dtype: of the arithmetic. Not to be used by two threads at once."""

    def __init__(self, model: MLP, dtype: np.dtype[Any]) -> None:
        self._model, self._dtype = model, dtype
        self._bound: dict[int, tuple[Steps, Rows]] = {}
        self._scratch = Scratch()

    @staticmethod
    def possible(model: MLP, dtype: np.dtype[Any]) -> bool:
        """Whether all that is to be computed is compiled or one of NumPy's loops."""
        from cooldown.objectives.models._evaluation_kernels import MOST

        plain = model.loss == "cross_entropy" and model.activation == "relu" and model.measuring is None
        if not plain or model.batch_norm or is_sparse(model.X) or model.n_outputs > MOST:
            return False
        return None not in _loops(dtype).values()

    def measure(
        self, theta: Parameters, replicates: Indices, indices: Indices
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss and accuracy (r,) on the rows `indices` (m,), of some `replicates` (r,) of theta (R, size)."""
        theta = np.ascontiguousarray(theta)
        losses, hits = np.zeros(len(replicates)), np.zeros(len(replicates))
        X, labels = self._model.in_precision(self._dtype)
        for start in range(0, len(indices), EVALUATION_ROWS):
            chunk = indices[start : start + EVALUATION_ROWS]
            if len(chunk) not in self._bound:
                self._bound[len(chunk)] = self._bind(len(chunk))
            steps, rows = self._bound[len(chunk)]
            X.take(chunk, axis=0, out=rows.inputs, mode="clip")
            rows.labels[:] = labels[chunk]
            measure(steps, rows, theta, replicates, losses, hits)
        return losses / len(indices), hits / len(indices)

    def _bind(self, m: int) -> tuple[Steps, Rows]:
        """The arrays for m rows, and the network whose loops are bound to them."""
        model, layers, outputs = self._model.architecture, self._model.layers, self._model.n_outputs
        shapes = {
            "theta": (1, model.size),
            "inputs": (m, model.widths[0]),
            "outputs": (m * sum(model.hidden),),
            "logits": (1, m, outputs),
            "at_label": (1, m),
            "totals": (1, m),
        }
        # A shorter last chunk has the same memory.
        arrays = {name: self._scratch.array(name, shape, self._dtype) for name, shape in shapes.items()}
        labels = self._scratch.array("labels", (m,), np.dtype(np.int64))
        in_double = {name: np.empty(size) for name, size in (("terms", m), ("total", 1), ("hits", 1))}
        rows = Rows(**arrays, labels=labels, **in_double)
        hidden = [rows.outputs[m * units.start : m * units.stop].reshape(1, m, -1) for units in model.units]
        below, above = [rows.inputs[None], *hidden], [*hidden, rows.logits]
        weights = [layer.weights(rows.theta) for layer in layers]
        products = [product(*each) for each in zip(below, weights, above, strict=True)]
        table = [(units.start, layer.outputs, layer.bias) for units, layer in zip(model.units, layers, strict=False)]
        steps = Steps(
            **_loops(self._dtype),
            **_kernels(self._dtype),
            layers=np.array(table, np.int64).reshape(-1, 3),
            output_bias=layers[-1].bias,
            products=np.array(products, np.int64),
            of_exp=np.array(elementwise(rows.logits), np.int64),
            of_log=np.array(elementwise(rows.totals), np.int64),
            of_sum=np.array(running_sum(rows.terms, rows.total), np.int64),
        )
        return steps, rows


def _loops(dtype: np.dtype[Any]) -> dict[str, Any]:
    """NumPy's loops by their names in `Steps`; None for one that this version of NumPy does not tell."""
    functions = {"product": np.matmul, "exp": np.exp, "log": np.log}
    found = {name: loop_of(function, dtype) for name, function in functions.items()}
    return {**found, "sum": loop_of(np.add, np.dtype(np.float64))}


@cache
def _kernels(dtype: np.dtype[Any]) -> dict[str, Any]:
    """The addresses of kernels by their names in `Steps`."""
    from cooldown.objectives.models import _evaluation_kernels, _kernels

    real = from_dtype(dtype)
    stack, rows = real[:, :, ::1], real[:, ::1]
    return {
        "activation": address(_kernels.bias_relu, (stack, rows, int64)),
        "centred": address(_evaluation_kernels.centred, (stack, rows, int64, int64[::1], rows, float64[::1])),
        "sums": address(_evaluation_kernels.sums, (stack, rows)),
    }
