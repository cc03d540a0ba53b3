"""A multilayer perceptron over a population, of any depth and width; without hidden layers it is linear or logistic
regression.

All replicates' parameters are one matrix (R, P); weights (in, out) and biases of each layer are views into it, so that
a layer is one batched matrix product. Elementwise operations are fused (models/_kernels.py). With batch
normalization the scales γ of the hidden layers follow all weights and biases; the running statistics come last, in
columns that no rule changes. The shift β is the layer's bias.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models._architecture import Architecture, Layer, Loss
from cooldown.objectives.models._sparse_workspace import Filled, SparseWorkspace
from cooldown.objectives.models._workspace import Workspace, kernels_of
from cooldown.objectives.models.initialization import initial
from cooldown.objectives.models.measuring import Measuring, label_losses
from cooldown.objectives.models.sparse_rows import in_dtype, is_sparse, product, taken
from cooldown.objectives.problem import Indices, Matrix, Parameters
from cooldown.objectives.scratch import Scratch

EVALUATION_ROWS = 2048
"""Held-out rows are measured in chunks of this size, to limit memory."""

EVALUATION_NUMBERS = 2**18
"""Replicates are measured together as long as a layer has no more outputs than these, which fit in the cache."""


@dataclass(eq=False)
class MLP:
    """A multilayer perceptron and the rows it is trained and measured on.

    X: (n, d) features, an array or a CSR array (sparse_rows.py). y: (n,) classes 0…K−1 for "cross_entropy", (n, K)
    truth values, whether a row has a label, for "binary_cross_entropy", and (n, K) targets for "squared_error".
    hidden: widths of the hidden layers, () for none. n_outputs: K.
    batch_norm: whether hidden layers are batch-normalized before their activation.
    weights: (n,) of the rows in the training loss, of mean 1 over the training rows; None if all count alike.
    measuring: what is measured on held-out rows; None for the loss, and accuracy or R².
    """

    X: Any
    y: NDArray[Any]
    hidden: tuple[int, ...]
    n_outputs: int
    loss: Loss
    activation: Literal["relu", "tanh"] = "relu"
    batch_norm: bool = False
    weights: NDArray[np.float64] | None = None
    measuring: Measuring | None = None
    _data: dict[np.dtype[Any], tuple[Any, NDArray[Any]]] = field(default_factory=dict, repr=False, init=False)
    _workspaces: dict[tuple[int, int, bool], Workspace] = field(default_factory=dict, repr=False, init=False)
    _scratch: Scratch = field(default_factory=Scratch, repr=False, init=False)
    _last: Workspace | None = field(default=None, repr=False, init=False)

    def __getstate__(self) -> dict[str, Any]:
        fields = ("X", "y", "hidden", "n_outputs", "loss", "activation", "batch_norm", "weights", "measuring")
        return {name: self.__dict__[name] for name in fields} | {
            "_data": {},
            "_workspaces": {},
            "_scratch": Scratch(),
            "_last": None,
        }

    def __copy__(self) -> "MLP":
        """The same data with separate buffers, for a separate training run."""
        return replace(self)

    def with_batch_norm(self) -> "MLP":
        """The same network with batch normalization in its hidden layers."""
        return replace(self, batch_norm=True)

    @cached_property
    def architecture(self) -> Architecture:
        """The layout of the columns of θ."""
        widths = (self.X.shape[1], *self.hidden, self.n_outputs)
        return Architecture(widths, self.loss, self.activation, self.batch_norm)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from the input to the output."""
        return self.architecture.layers

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The weights of each layer."""
        return tuple(Matrix(layer.start, layer.inputs, layer.outputs) for layer in self.layers)

    @property
    def hidden_units(self) -> int:
        """H, the number of hidden units in all layers."""
        return sum(self.hidden)

    @property
    def trainable(self) -> int:
        """P, the number of weights, biases and scales of one replicate."""
        return self.architecture.trainable

    @property
    def size(self) -> int:
        """P and, with batch normalization, two running statistics of each hidden unit."""
        return self.architecture.size

    @property
    def filled(self) -> Filled | None:
        """Which columns of its features the batch of the last gradient fills; None for features that are an array."""
        return self._last.filled if isinstance(self._last, SparseWorkspace) else None

    def init(self, rng: np.random.Generator, initialization: str = "auto") -> NDArray[np.float64]:
        """(size,) initial parameters; biases are zero, scales and running variances one.

        initialization: "he" N(0, 2/in), "glorot" U(±√(6/(in + out))), "poor" N(0, 0.01²), "large" N(0, 1), "zero" 0,
        "normal_0.1" N(0, 0.1²); "auto" is he before a ReLU, otherwise glorot.
        """
        return initial(self.architecture, rng, initialization)

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, dropout: Parameters | None = None
    ) -> tuple[Parameters, Parameters]:
        """Mean loss (R,) and gradient (R, P) for `theta` (R, size), each replicate on its rows `indices` (R, B).

        dropout: (R, B, H) factors of the activations. Both results are buffers of the model, valid until the next call.
        Batch normalization updates the running statistics in `theta`.
        """
        work = self._last = self._workspace(theta, indices.shape[1], dropout is not None)
        gradient = work.gradient
        work.enter(indices)
        for outputs, bias, forward, units, passed_on, weights_above, above in work.hidden_forward:
            if forward is not None:
                work.batch_norm(outputs, theta, *forward)
            work.bias_activation(outputs, theta, bias)
            if dropout is not None:
                np.multiply(outputs, dropout[:, :, units], out=passed_on)
            np.matmul(passed_on, weights_above, out=above)
        work.loss(work.outputs, theta, gradient, work.output_bias, *work.rows, indices, work.losses)
        for inputs_t, delta, weight_gradient, weights_t, delta_below, outputs, bias, back, units in work.backward:
            np.matmul(inputs_t, delta, out=weight_gradient)
            np.matmul(delta, weights_t, out=delta_below)
            if dropout is not None:
                delta_below *= dropout[:, :, units]
            work.activation_backward(delta_below, outputs, gradient, bias)
            if back is not None:
                work.batch_norm_backward(delta_below, theta, gradient, *back)
        work.leave(indices)
        return work.losses, gradient

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss (R,) and score (R,) on the rows `indices` (m,), or what `measuring` measures.

        The score is the accuracy, of a set of labels as a whole, or R².
        """
        if self.measuring is None:
            return self._evaluate(theta, indices, [])
        outputs: list[Parameters] = []
        losses, scores = self._evaluate(theta, indices, outputs)
        return self.measuring.measure(np.concatenate(outputs, axis=1), self.y, indices, losses, scores)

    def _evaluate(
        self, theta: Parameters, indices: Indices, outputs: list[Parameters]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss and score; outputs (R, rows, K) of each chunk are appended to `outputs`, if they are measured."""
        theta = np.ascontiguousarray(theta)
        losses, hits = np.zeros(len(theta)), np.zeros(len(theta))
        for start in range(0, len(indices), EVALUATION_ROWS):
            rows = indices[start : start + EVALUATION_ROWS]
            together = max(EVALUATION_NUMBERS // (len(rows) * max(self.architecture.widths[1:])), 1)
            measured: list[Parameters] = []
            for first in range(0, len(theta), together):
                some = slice(first, first + together)
                self._measure(theta[some], rows, losses[some], hits[some], measured)
            if measured:
                outputs.append(np.concatenate(measured))
        losses /= len(indices)
        if self.loss != "squared_error":
            return losses, hits / len(indices)
        # A target without variance on these rows has no R².
        variance = self.y[indices].var(axis=0).mean()
        return losses, 1 - losses / variance if variance > 0 else np.full(len(theta), np.nan)

    def _measure(
        self, theta: Parameters, rows: Indices, losses: Parameters, hits: Parameters, outputs: list[Parameters]
    ) -> None:
        """Add to `losses` (R,) and `hits` (R,) the sums over `rows` (m,), and to `outputs` those (R, m, K), if they are
        measured.
        """
        X, targets = self.in_precision(theta.dtype)
        z, y = self._before_biases(theta, taken(X, rows, self._scratch), self._scratch), targets[rows]
        biases = self._output_biases(theta)
        if self.measuring is not None:
            outputs.append(z + biases)
        if self.loss == "cross_entropy":
            total, at_label = self._softmax(z, theta, y, hits)
            losses += (np.log(total) - at_label).sum(axis=1, dtype=np.float64)
            return
        z += biases
        if self.loss == "binary_cross_entropy":
            hits += ((z > 0) == self.y[rows]).all(axis=2).sum(axis=1)
            losses += label_losses(z, y).mean(axis=2).sum(axis=1, dtype=np.float64)
        else:
            losses += np.square(z - y).mean(axis=2).sum(axis=1, dtype=np.float64)

    def _softmax(
        self, z: Parameters, theta: Parameters, y: NDArray[Any], hits: Parameters
    ) -> tuple[Parameters, Parameters]:
        """Of outputs z (R, m, K) before their biases, which are overwritten, and classes (m,): Σ e^z (R, m), and z at
        the class (R, m), both of z − max(z) with biases; `hits` (R,) grows by the rows whose class has the first of the
        largest outputs.
        """
        from cooldown.objectives.models import _evaluation_kernels as kernels

        at_label, total = (self._scratch.array(name, z.shape[:2], z.dtype) for name in ("at label", "total"))
        found = np.empty(len(z))
        kernels.centred(z, theta, self.layers[-1].bias, y, at_label, found)
        hits += found
        np.exp(z, out=z)
        if z.shape[2] > kernels.MOST:
            return z.sum(axis=2), at_label
        kernels.sums(z, total)
        return total, at_label

    def predict(self, theta: Parameters, X: Any) -> Parameters:
        """Outputs (R, m, K) before the softmax for features `X` (m, d)."""
        outputs = self._before_biases(theta, X.astype(theta.dtype) if is_sparse(X) else np.asarray(X, theta.dtype))
        outputs += self._output_biases(theta)
        return outputs

    def folded(self, theta: Parameters) -> list[tuple[Parameters, Parameters]]:
        """Weights (R, in, out) and biases (R, 1, out) of each layer, as they predict: with batch normalization by the
        running statistics in them.
        """
        layers = []
        for layer, norm in zip(self.layers, (*self.architecture.norms, None), strict=True):
            weights, biases = layer.weights(theta), theta[:, None, layer.bias : layer.end]
            if norm is not None:
                factors, offsets = norm.folded(theta)
                weights, biases = weights * factors, biases + offsets
            layers.append((weights, biases))
        return layers

    def _output_biases(self, theta: Parameters) -> Parameters:
        """(R, 1, K) the biases of the outputs."""
        last = self.layers[-1]
        return theta[:, None, last.bias : last.end]

    def _before_biases(self, theta: Parameters, X: Any, scratch: Scratch | None = None) -> Parameters:
        """Outputs (R, m, K) before their biases for features `X` (m, d), in one of the arrays of `scratch` if there is
        one.
        """
        z: Parameters = X
        for i, (layer, norm) in enumerate(zip(self.layers, (*self.architecture.norms, None), strict=True)):
            shape = len(theta), X.shape[0], layer.outputs
            out = None if scratch is None else scratch.array(f"layer {i}", shape, theta.dtype)
            z = product(z, layer.weights(theta), out)
            if norm is not None:
                factors, offsets = norm.folded(theta)
                z *= factors
                z += offsets
            if layer is self.layers[-1]:
                break
            if scratch is not None and self.activation == "relu":
                kernels_of(self.architecture, False).activation(z, theta, layer.bias)
                continue
            z += theta[:, None, layer.bias : layer.end]
            z = np.maximum(z, 0, out=z) if self.activation == "relu" else np.tanh(z, out=z)
        return z

    def in_precision(self, dtype: np.dtype[Any]) -> tuple[Any, NDArray[Any]]:
        """X and y as they enter the arithmetic of `dtype`."""
        if dtype not in self._data:
            y = self.y if self.loss == "cross_entropy" else np.ascontiguousarray(self.y, dtype)
            self._data[dtype] = in_dtype(self.X, dtype), y
        return self._data[dtype]

    def rows(self, dtype: np.dtype[Any]) -> tuple[Any, tuple[NDArray[Any], ...]]:
        """The features (n, d) of all rows, and what the loss takes of them: the targets, and weights if there are some
        or if it is one of labels.
        """
        X, y = self.in_precision(dtype)
        if self.weights is not None:
            return X, (y, np.ascontiguousarray(self.weights, dtype))
        return X, (y, np.ones(len(y), dtype)) if self.loss == "binary_cross_entropy" else (y,)

    def _workspace(self, theta: Parameters, rows: int, dropout: bool) -> Workspace:
        key = (len(theta), rows, dropout)
        work = self._workspaces.get(key)
        if work is None or work.theta is not theta:
            data, weighted = self.rows(theta.dtype), self.weights is not None
            of_rows = SparseWorkspace if is_sparse(self.X) else Workspace
            work = self._workspaces[key] = of_rows(self.architecture, data, weighted, theta, rows, dropout)
        return work
