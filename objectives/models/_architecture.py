"""The parameter layout of a multilayer perceptron: columns of weights, biases, scales and running statistics."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from cooldown.objectives.problem import Indices, Parameters

Loss = Literal["cross_entropy", "binary_cross_entropy", "squared_error"]
"""The training losses: one class per row, a set of labels per row, numbers."""

VARIANCE_GUARD = 1e-5
"""ε of batch normalization, added to the variance, as in torch."""

MOMENTUM = 0.1
"""Weight of the current batch in the running statistics, as in torch."""


@dataclass(frozen=True)
class Layer:
    """The columns of one layer's weights (inputs, outputs) and biases (outputs,) among the P parameters."""

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


@dataclass(frozen=True)
class Norm:
    """The columns of one hidden layer's scales γ (width,) and of its running means and variances (2·width,)."""

    width: int
    scale: int
    statistics: int

    def variances(self, theta: Parameters) -> Parameters:
        return theta[:, self.statistics + self.width : self.statistics + 2 * self.width]

    def folded(self, theta: Parameters) -> tuple[Parameters, Parameters]:
        """Factors and offsets (R, 1, width) of the normalization with the running statistics."""
        inverse = 1 / np.sqrt(self.variances(theta) + theta.dtype.type(VARIANCE_GUARD))
        factors = theta[:, self.scale : self.scale + self.width] * inverse
        means = theta[:, self.statistics : self.statistics + self.width]
        return factors[:, None], (-means * factors)[:, None]


@dataclass(frozen=True)
class Architecture:
    """A multilayer perceptron without its data.

    widths: of the inputs, the hidden layers and the outputs. loss, activation, batch_norm: as for `MLP`.
    """

    widths: tuple[int, ...]
    loss: Loss
    activation: Literal["relu", "tanh"]
    batch_norm: bool

    def on(self, columns: int) -> "Architecture":
        """The same network on so many features."""
        return replace(self, widths=(columns, *self.widths[1:]))

    def places(self, columns: Indices) -> Indices:
        """Where the parameters of the network on the features `columns` (c,) are among those of this one."""
        first = self.layers[0]
        of_columns = columns[:, None] * first.outputs + np.arange(first.outputs)
        return np.concatenate([of_columns.ravel(), np.arange(first.bias, self.size)])

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers from the input to the output."""
        layers: list[Layer] = []
        for inputs, outputs in pairwise(self.widths):
            layers.append(Layer(inputs, outputs, layers[-1].end if layers else 0))
        return tuple(layers)

    @cached_property
    def norms(self) -> tuple[Norm | None, ...]:
        """The columns of each hidden layer's normalization; None without batch normalization."""
        if not self.batch_norm:
            return (None,) * len(self.hidden)
        scales, statistics = self.layers[-1].end, self.trainable
        return tuple(
            Norm(units.stop - units.start, scales + units.start, statistics + 2 * units.start) for units in self.units
        )

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the hidden layers."""
        return self.widths[1:-1]

    @cached_property
    def units(self) -> tuple[slice, ...]:
        """The slice of each hidden layer's units among the H units of all layers."""
        return tuple(slice(start, end) for start, end in pairwise(np.cumsum([0, *self.hidden]).tolist()))

    @property
    def trainable(self) -> int:
        """P, the number of weights, biases and scales."""
        return self.layers[-1].end + (sum(self.hidden) if self.batch_norm else 0)

    @property
    def size(self) -> int:
        """P and, with batch normalization, two running statistics of each hidden unit."""
        return self.trainable + (2 * sum(self.hidden) if self.batch_norm else 0)
