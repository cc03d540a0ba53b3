"""Single directions after Morcos et al. 2018: how much a network relies on single hidden units."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Indices


def ablation_curve(
    model: MLP, theta: NDArray[np.float64], rows: Indices, rng: np.random.Generator, orders: int = 10
) -> NDArray[np.float64]:
    """(H + 1,) accuracy on `rows` (n,) of a classifier with 0, 1, … H hidden units clamped to 0, one after the other.

    theta: (size,). The mean over `orders` random orders of the H units of all layers, drawn from `rng`. Raises
    InputError for a network without classes or hidden units.
    """
    _check("ablation_curve", model)
    units, y = model.hidden_units, model.y[rows]
    network = _Clamped(model, theta, rows)
    accuracies = np.zeros(units + 1)
    for _ in range(orders):
        kept = np.ones(units)
        for count, unit in enumerate((None, *rng.permutation(units).tolist())):
            if unit is not None:
                kept[unit] = 0
            outputs, _ = network.forward(kept)
            accuracies[count] += (outputs.argmax(axis=1) == y).mean()
    return accuracies / orders


def area_under(curve: NDArray[np.float64]) -> float:
    """The area under an `ablation_curve` over the share of clamped units: 1 if no unit mattered."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def selectivity(model: MLP, theta: NDArray[np.float64], rows: Indices) -> NDArray[np.float64]:
    """(H,) of each hidden unit (μ_max − μ_others)/(μ_max + μ_others) on `rows` (n,): μ_max its mean activation in the
    class where that is highest, μ_others that in all other classes. 0 for a unit that is never active.

    theta: (size,). Raises InputError for a network without classes or hidden units, or with another activation than
    ReLU, of which alone it is between 0 and 1.
    """
    _check("selectivity", model)
    if model.activation != "relu":
        raise InputError("selectivity(model=...): activations must not be negative, as those of a ReLU")
    _, active = _Clamped(model, theta, rows).forward(np.ones(model.hidden_units))
    classes = np.eye(model.n_outputs)[model.y[rows]]
    present = classes.any(axis=0)
    sums, counts = (classes.T @ active)[present], classes.sum(axis=0)[present]
    means = sums / counts[:, None]
    best, unit = means.argmax(axis=0), np.arange(active.shape[1])
    highest = means[best, unit]
    others = (active.sum(axis=0) - sums[best, unit]) / np.maximum(len(active) - counts[best], 1)
    total = highest + others
    return np.asarray(np.divide(highest - others, total, out=np.zeros_like(total), where=total > 0))


class _Clamped:
    """A network on rows, of which hidden units can be clamped to 0. Nothing clamps what the first layer takes, so it is
    worked out once.
    """

    def __init__(self, model: MLP, theta: NDArray[np.float64], rows: Indices) -> None:
        self._model = model
        (weights, biases), *self._others = model.folded(np.asarray(theta, np.float64)[None])
        self._first = self._active(model.X[rows] @ weights[0] + biases[0])

    def forward(self, kept: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Outputs (n, K) and hidden activations (n, H); kept: (H,) 0 for a unit that is clamped."""
        units = self._model.architecture.units
        active = [self._first * kept[units[0]]]
        for (weights, biases), of_layer in zip(self._others[:-1], units[1:], strict=True):
            active.append(self._active(active[-1] @ weights[0] + biases[0]) * kept[of_layer])
        weights, biases = self._others[-1]
        return active[-1] @ weights[0] + biases[0], np.hstack(active)

    def _active(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(z, 0) if self._model.activation == "relu" else np.tanh(z)


def _check(call: str, model: MLP) -> None:
    if model.loss != "cross_entropy" or not model.hidden:
        raise InputError(f"{call}(model=...): needs a classifier with a hidden layer")
