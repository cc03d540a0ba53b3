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
    units, X, y = model.hidden_units, model.X[rows], model.y[rows]
    accuracies = np.zeros(units + 1)
    for _ in range(orders):
        kept = np.ones(units)
        for count, unit in enumerate((None, *rng.permutation(units).tolist())):
            if unit is not None:
                kept[unit] = 0
            outputs, _ = _forward(model, theta, X, kept)
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
    _, active = _forward(model, theta, model.X[rows], np.ones(model.hidden_units))
    classes = np.eye(model.n_outputs)[model.y[rows]]
    present = classes.any(axis=0)
    sums, counts = (classes.T @ active)[present], classes.sum(axis=0)[present]
    means = sums / counts[:, None]
    best, unit = means.argmax(axis=0), np.arange(active.shape[1])
    highest = means[best, unit]
    others = (active.sum(axis=0) - sums[best, unit]) / np.maximum(len(active) - counts[best], 1)
    total = highest + others
    return np.asarray(np.divide(highest - others, total, out=np.zeros_like(total), where=total > 0))


def _forward(
    model: MLP, theta: NDArray[np.float64], X: NDArray[np.float64], kept: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Outputs (n, K) and hidden activations (n, H) for features X (n, d); kept: (H,) 0 for a unit that is clamped."""
    active = []
    folded = model.folded(np.asarray(theta, np.float64)[None])
    for place, (weights, biases) in enumerate(folded):
        X = X @ weights[0] + biases[0]
        if place < len(folded) - 1:
            X = np.maximum(X, 0) if model.activation == "relu" else np.tanh(X)
            X = X * kept[model.architecture.units[place]]
            active.append(X)
    return X, np.hstack(active)


def _check(call: str, model: MLP) -> None:
    if model.loss != "cross_entropy" or not model.hidden:
        raise InputError(f"{call}(model=...): needs a classifier with a hidden layer")
