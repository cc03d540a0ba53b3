"""A multilayer perceptron over a population: any depth and width; without a hidden layer it is linear or logistic
regression.

All replicates' parameters are one matrix (R, P); weights (in, out) and biases of each layer are views into it, so that
a layer is one batched matrix product. What is elementwise is fused (objectives/models/_kernels.py).
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from objectives.problem import Indices, Parameters

EVALUATION_ROWS = 2048
"""Held-out rows are measured in chunks, so that memory does not grow with the data."""


@dataclass(frozen=True)
class _Layer:
    """Where one layer's weights (inputs, outputs) and biases (outputs,) lie among the P parameters."""

    inputs: int
    outputs: int
    start: int

    @property
    def bias(self) -> int:
        return self.start + self.inputs * self.outputs

    @property
    def end(self) -> int:
        return self.bias + self.outputs

    def weights(self, matrix: Parameters) -> Parameters:
        return matrix[:, self.start : self.bias].reshape(len(matrix), self.inputs, self.outputs)


class _Workspace:
    """Buffers for R replicates and batches of B rows, and every view that a pass needs, made once.

    Making a view costs as much as a small matrix product, so none is made inside the training loop.
    """

    def __init__(self, model: "MLP", theta: Parameters, rows: int) -> None:
        # Here, because whoever only lists or shows experiments should not wait for the compiler to be loaded.
        from objectives.models import _kernels

        layers, replicates, dtype = model.layers, len(theta), theta.dtype
        self.bias_activation, self.activation_backward = (
            (_kernels.bias_relu, _kernels.relu_backward)
            if model.activation == "relu"
            else (_kernels.bias_tanh, _kernels.tanh_backward)
        )
        self.loss = _kernels.softmax_cross_entropy if model.loss == "cross_entropy" else _kernels.squared_error
        self.X, self.y = model.in_precision(dtype)
        self.theta = theta
        self.gradient = np.empty_like(theta)
        self.losses = np.empty(replicates)
        activations = [np.empty((replicates, rows, layer.inputs), dtype) for layer in layers]
        self.inputs, self.outputs = activations[0], np.empty((replicates, layers[-1].outputs, rows), dtype)
        deltas = [np.empty_like(activation) for activation in activations[1:]]
        activations.append(self.outputs.transpose(0, 2, 1))
        deltas.append(activations[-1])
        *self.hidden_forward, self.output_forward = [
            (activations[i], layer.weights(theta), activations[i + 1], layer.bias) for i, layer in enumerate(layers)
        ]
        self.backward = [
            (
                activations[i].transpose(0, 2, 1),
                deltas[i],
                layers[i].weights(self.gradient),
                layers[i].weights(theta).transpose(0, 2, 1),
                deltas[i - 1],
                activations[i],
                layers[i - 1].bias,
            )
            for i in range(len(layers) - 1, 0, -1)
        ]
        self.input_backward = activations[0].transpose(0, 2, 1), deltas[0], layers[0].weights(self.gradient)


@dataclass(eq=False)
class MLP:
    """A multilayer perceptron and the rows it is trained and measured on.

    X: (n, d) features. y: (n,) classes 0…K−1 for "cross_entropy", (n, K) targets for "squared_error".
    hidden: widths of the hidden layers, () for none. n_outputs: K.
    Initial weights are He's normal for ReLU and Glorot's uniform for tanh and for the output layer; biases are zero.
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    hidden: tuple[int, ...]
    n_outputs: int
    loss: Literal["cross_entropy", "squared_error"]
    activation: Literal["relu", "tanh"] = "relu"
    _data: dict[np.dtype[Any], tuple[Parameters, NDArray[Any]]] = field(default_factory=dict, repr=False)
    _workspaces: dict[tuple[int, int], _Workspace] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        kept = ("X", "y", "hidden", "n_outputs", "loss", "activation")
        return {name: self.__dict__[name] for name in kept} | {"_data": {}, "_workspaces": {}}

    def __copy__(self) -> "MLP":
        """The same data with buffers of its own, for a training run of its own."""
        return MLP(self.X, self.y, self.hidden, self.n_outputs, self.loss, self.activation)

    @cached_property
    def layers(self) -> tuple[_Layer, ...]:
        """The layers from the input to the output."""
        widths = [self.X.shape[1], *self.hidden, self.n_outputs]
        layers: list[_Layer] = []
        for inputs, outputs in pairwise(widths):
            layers.append(_Layer(inputs, outputs, layers[-1].end if layers else 0))
        return tuple(layers)

    @property
    def size(self) -> int:
        """P, the number of weights and biases of one replicate."""
        return self.layers[-1].end

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(P,) initial parameters."""
        theta = np.zeros(self.size)
        for layer in self.layers:
            shape = layer.inputs * layer.outputs
            if self.activation == "relu" and layer is not self.layers[-1]:
                weights = rng.normal(0.0, np.sqrt(2 / layer.inputs), shape)
            else:
                bound = np.sqrt(6 / (layer.inputs + layer.outputs))
                weights = rng.uniform(-bound, bound, shape)
            theta[layer.start : layer.bias] = weights
        return theta

    def loss_and_gradient(self, theta: Parameters, indices: Indices) -> tuple[Parameters, Parameters]:
        """Mean loss (R,) and gradient (R, P) for `theta` (R, P), each replicate on its rows `indices` (R, B).

        Both are buffers of the model, valid until the next call.
        """
        work = self._workspace(theta, indices.shape[1])
        gradient = work.gradient
        work.X.take(indices, axis=0, out=work.inputs, mode="clip")
        for inputs, weights, outputs, bias in work.hidden_forward:
            np.matmul(inputs, weights, out=outputs)
            work.bias_activation(outputs, theta, bias)
        inputs, weights, outputs, bias = work.output_forward
        np.matmul(inputs, weights, out=outputs)
        work.loss(work.outputs, theta, gradient, bias, work.y, indices, work.losses)
        for inputs_t, delta, weight_gradient, weights_t, delta_below, activation, bias in work.backward:
            np.matmul(inputs_t, delta, out=weight_gradient)
            np.matmul(delta, weights_t, out=delta_below)
            work.activation_backward(delta_below, activation, gradient, bias)
        inputs_t, delta, weight_gradient = work.input_backward
        np.matmul(inputs_t, delta, out=weight_gradient)
        return work.losses, gradient

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean loss (R,) and score (R,), accuracy or R², on the rows `indices` (m,)."""
        X, y = self.in_precision(theta.dtype)
        weights = [layer.weights(theta) for layer in self.layers]
        losses, hits = np.zeros(len(theta)), np.zeros(len(theta))
        for start in range(0, len(indices), EVALUATION_ROWS):
            rows = indices[start : start + EVALUATION_ROWS]
            z = self._outputs(theta, weights, X[rows])
            if self.loss == "cross_entropy":
                z -= z.max(axis=2, keepdims=True)
                at_label = z[:, np.arange(len(rows)), y[rows]]
                # Ties count as misses unless the label comes first: argmax's rule.
                hits += (z.argmax(axis=2) == y[rows]).sum(axis=1)
                losses += (np.log(np.exp(z, out=z).sum(axis=2)) - at_label).sum(axis=1, dtype=np.float64)
            else:
                losses += np.square(z - y[rows]).mean(axis=2).sum(axis=1, dtype=np.float64)
        losses /= len(indices)
        if self.loss == "cross_entropy":
            return losses, hits / len(indices)
        # A target without variance on these rows has no R².
        variance = self.y[indices].var(axis=0).mean()
        return losses, 1 - losses / variance if variance > 0 else np.full(len(theta), np.nan)

    def predict(self, theta: Parameters, X: NDArray[Any]) -> Parameters:
        """Outputs (R, m, K) before the softmax for features `X` (m, d)."""
        return self._outputs(theta, [layer.weights(theta) for layer in self.layers], np.asarray(X, theta.dtype))

    def _outputs(self, theta: Parameters, weights: list[Parameters], X: Parameters) -> Parameters:
        z = X
        for layer, matrix in zip(self.layers, weights, strict=True):
            z = np.matmul(z, matrix)
            z += theta[:, None, layer.bias : layer.end]
            if layer is not self.layers[-1]:
                z = np.maximum(z, 0, out=z) if self.activation == "relu" else np.tanh(z, out=z)
        return z

    def in_precision(self, dtype: np.dtype[Any]) -> tuple[Parameters, NDArray[Any]]:
        """X and y as they enter the arithmetic of `dtype`."""
        if dtype not in self._data:
            y = self.y if self.loss == "cross_entropy" else np.ascontiguousarray(self.y, dtype)
            self._data[dtype] = np.ascontiguousarray(self.X, dtype), y
        return self._data[dtype]

    def _workspace(self, theta: Parameters, rows: int) -> _Workspace:
        key = (len(theta), rows)
        work = self._workspaces.get(key)
        if work is None or work.theta is not theta:
            work = self._workspaces[key] = _Workspace(self, theta, rows)
        return work
