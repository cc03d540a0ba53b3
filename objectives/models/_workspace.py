"""The buffers of a forward and backward pass of a multilayer perceptron."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models._architecture import Architecture, Layer, Norm
from cooldown.objectives.problem import Indices, Parameters


class Kernels(NamedTuple):
    """The compiled functions of one perceptron; the last two are None without batch normalization."""

    activation: Any
    activation_backward: Any
    loss: Any
    norm: Any
    norm_backward: Any


def kernels_of(model: Architecture, weighted: bool) -> Kernels:
    """Those of `model`. weighted: whether rows have weights."""
    # Imported here, so that commands that only list or show experiments need not load the compiler.
    from cooldown.objectives.models import _kernels, _label_kernels, _weighted_kernels

    activation = (
        (_kernels.bias_relu, _kernels.relu_backward)
        if model.activation == "relu"
        else (_kernels.bias_tanh, _kernels.tanh_backward)
    )
    if model.loss == "binary_cross_entropy":
        loss = _label_kernels.binary_cross_entropy
    else:
        of_loss = _weighted_kernels if weighted else _kernels
        loss = of_loss.softmax_cross_entropy if model.loss == "cross_entropy" else of_loss.squared_error
    norm = (_kernels.batch_norm, _kernels.batch_norm_backward) if model.batch_norm else (None, None)
    return Kernels(*activation, loss, *norm)


class Hidden:
    """One hidden layer's arrays for R replicates and batches of B rows.

    outputs: (R, B, H) after the activation. passed_on: the next layer's input; a separate array only under dropout.
    units: the slice of the layer's units among all hidden units. forward, backward: further arguments of the kernels of
    batch normalization; None without it.
    """

    def __init__(
        self, replicates: int, rows: int, layer: Layer, norm: Norm | None, units: slice, dtype: Any, dropout: bool
    ) -> None:
        shape = (replicates, rows, layer.outputs)
        self.bias, self.units = layer.bias, units
        self.outputs, self.delta = np.empty(shape, dtype), np.empty(shape, dtype)
        self.passed_on = np.empty(shape, dtype) if dropout else self.outputs
        self.forward = self.backward = None
        if norm is not None:
            normalized, inverse = np.empty(shape, dtype), np.empty((replicates, layer.outputs), dtype)
            self.forward = norm.scale, norm.statistics, normalized, inverse
            self.backward = norm.scale, normalized, inverse


class Workspace:
    """Buffers for R replicates and batches of B rows, and every view that a pass needs, created once.

    Creating a view costs as much as a small matrix product, so the training loop creates none.
    """

    def __init__(
        self,
        model: Architecture,
        data: tuple[Any, tuple[NDArray[Any], ...]],
        weighted: bool,
        theta: Parameters,
        rows: int,
        dropout: bool,
    ) -> None:
        layers, replicates, dtype = model.layers, len(theta), theta.dtype
        chosen = kernels_of(model, weighted)
        self.bias_activation, self.activation_backward, self.loss = chosen[:3]
        self.batch_norm, self.batch_norm_backward = chosen.norm, chosen.norm_backward
        self.X, self.rows = data
        self.theta = theta
        self.gradient = np.empty((replicates, model.trainable), dtype)
        self.losses = np.empty(replicates)
        self.outputs = np.empty((replicates, layers[-1].outputs, rows), dtype)
        hidden = [
            Hidden(replicates, rows, layer, norm, units, dtype, dropout)
            for layer, norm, units in zip(layers, model.norms, model.units, strict=False)
        ]
        output = self.outputs.transpose(0, 2, 1)
        above = [*[layer.outputs for layer in hidden[1:]], output]
        self.hidden_forward = [
            (
                layer.outputs,
                layer.bias,
                layer.forward,
                layer.units,
                layer.passed_on,
                layers[i].weights(theta),
                above[i - 1],
            )
            for i, layer in enumerate(hidden, start=1)
        ]
        self.output_bias = layers[-1].bias
        deltas = [*[layer.delta for layer in hidden], output]
        self.backward = [
            (
                hidden[i - 1].passed_on.transpose(0, 2, 1),
                deltas[i],
                layers[i].weights(self.gradient),
                layers[i].weights(theta).transpose(0, 2, 1),
                deltas[i - 1],
                hidden[i - 1].outputs,
                hidden[i - 1].bias,
                hidden[i - 1].backward,
                hidden[i - 1].units,
            )
            for i in range(len(layers) - 1, 0, -1)
        ]
        self._bind_inputs(layers[0], (*[layer.outputs for layer in hidden], output)[0], deltas[0])

    def _bind_inputs(self, first: Layer, outputs: Parameters, delta: Parameters) -> None:
        """Prepare the products of the first layer: its outputs before biases, and their gradient, (R, B, H) both."""
        self.inputs = np.empty((*outputs.shape[:2], first.inputs), outputs.dtype)
        self.input_forward = self.inputs, first.weights(self.theta), outputs
        self.input_backward = self.inputs.transpose(0, 2, 1), delta, first.weights(self.gradient)

    def enter(self, indices: Indices) -> None:
        """The first layer's products for the rows `indices` (R, B), before biases."""
        self.X.take(indices, axis=0, out=self.inputs, mode="clip")
        inputs, weights, outputs = self.input_forward
        np.matmul(inputs, weights, out=outputs)

    def leave(self, indices: Indices) -> None:  # noqa: ARG002
        """The gradient of the first layer's weights."""
        inputs_t, delta, weight_gradient = self.input_backward
        np.matmul(inputs_t, delta, out=weight_gradient)
