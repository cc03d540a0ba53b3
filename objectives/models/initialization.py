"""The initial parameters of a multilayer perceptron: of all features, or of some, with the bits of a draw for all."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models._architecture import Architecture, Layer
from cooldown.objectives.problem import Indices

DEVIATIONS = {"poor": 0.01, "large": 1.0, "normal_0.1": 0.1}
"""Standard deviations of the initial weights, for schemes in which they do not depend on the layer's width."""

TOGETHER = 512
"""Features whose weights are drawn together where only some are kept: so many stay in the cache."""


def initial(
    network: Architecture, rng: np.random.Generator, scheme: str, columns: Indices | None = None
) -> NDArray[np.float64]:
    """(size,) initial parameters of a network; biases are zero, scales and running variances one.

    scheme: as for `MLP.init`. columns: (c,) features in ascending order; the parameters are then those of the network
    on these alone, which the network has on all. None for all of them.
    """
    reduced = network if columns is None else network.on(len(columns))
    theta = np.zeros(reduced.size)
    for i, (layer, place) in enumerate(zip(network.layers, reduced.layers, strict=True)):
        of_layer = scheme
        if scheme == "auto":
            of_layer = "he" if network.activation == "relu" and layer is not network.layers[-1] else "glorot"
        if of_layer != "zero":
            theta[place.start : place.bias] = _weights(layer, rng, of_layer, columns if i == 0 else None)
    for norm in reduced.norms:
        if norm is not None:
            theta[norm.scale : norm.scale + norm.width] = 1
            norm.variances(theta[None])[:] = 1
    return theta


def _weights(layer: Layer, rng: np.random.Generator, scheme: str, columns: Indices | None) -> NDArray[np.float64]:
    """(inputs · outputs,) weights of a layer, or those of some of its inputs."""
    bound = np.sqrt(6 / (layer.inputs + layer.outputs))
    if scheme == "glorot":
        if columns is None:
            return rng.uniform(-bound, bound, layer.inputs * layer.outputs)
        parts = []
        for start in range(0, layer.inputs, TOGETHER):
            end = min(start + TOGETHER, layer.inputs)
            first, last = np.searchsorted(columns, (start, end))
            parts.append(rng.uniform(-bound, bound, (end - start, layer.outputs))[columns[first:last] - start])
        return np.concatenate(parts).ravel()
    deviation = {"he": np.sqrt(2 / layer.inputs), **DEVIATIONS}[scheme]
    if columns is None:
        return rng.normal(0.0, deviation, layer.inputs * layer.outputs)
    # Imported here, so that commands that only list or show experiments need not load the compiler.
    from cooldown.objectives.models import _drawing_kernels

    drawn = np.empty((len(columns), layer.outputs))
    _drawing_kernels.standard_normal(rng, layer.inputs, columns, drawn)
    # As NumPy computes it, where the sum makes a zero positive.
    return np.asarray(0.0 + deviation * drawn.ravel())
