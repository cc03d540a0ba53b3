"""Quick formulas of measures, with the values of scikit-learn's scorers (measures.py), which are the definition.

Each takes y: (m,) classes 0…K−1, or numbers (m,) or (m, K), and predictions: (m, K) probabilities of the classes, or
numbers like y. NaN where the measure is undefined, as the area under a curve where a class has no rows; None for what
only the scorer measures.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


def _counts(y: Values, probabilities: Values) -> tuple[Values, Values, Values]:
    """(K,) rows of each class, rows for which it is predicted, and rows for which it is rightly predicted."""
    k, predicted = probabilities.shape[1], probabilities.argmax(axis=1)
    right = predicted[predicted == y]
    return np.bincount(y, minlength=k), np.bincount(predicted, minlength=k), np.bincount(right, minlength=k)


def _accuracy(y: Values, probabilities: Values) -> float:
    return float(np.mean(probabilities.argmax(axis=1) == y))


def _balanced_accuracy(y: Values, probabilities: Values) -> float:
    rows, _, right = _counts(y, probabilities)
    return float(np.mean(right[rows > 0] / rows[rows > 0]))


def _f1_of_classes(y: Values, probabilities: Values) -> tuple[Values, Values]:
    """The F1 of each class that occurs among labels or predictions, and its rows."""
    rows, predicted, right = _counts(y, probabilities)
    occurs = rows + predicted > 0
    return 2 * right[occurs] / (rows + predicted)[occurs], rows[occurs]


def _f1(y: Values, probabilities: Values) -> float:
    rows, predicted, right = _counts(y, probabilities)
    return float(2 * right[1] / (rows[1] + predicted[1])) if rows[1] + predicted[1] else 0.0


def _f1_macro(y: Values, probabilities: Values) -> float:
    return float(np.mean(_f1_of_classes(y, probabilities)[0]))


def _f1_weighted(y: Values, probabilities: Values) -> float:
    f1, rows = _f1_of_classes(y, probabilities)
    return float(np.average(f1, weights=rows))


def _roc_auc(y: Values, probabilities: Values) -> float:
    return _auc(y == 1, probabilities[:, 1])


def _auc(positive: Values, scores: Values) -> float:
    """The share of pairs of a positive and another row that are ranked rightly; ties count half. NaN without pairs."""
    from scipy.stats import rankdata

    n = int(positive.sum())
    if not 0 < n < len(positive):
        return float("nan")
    return float((rankdata(scores)[positive].sum() - n * (n + 1) / 2) / (n * (len(positive) - n)))


def _aucs(y: Values, probabilities: Values) -> Values:
    """(K,) the area of each class against the rest."""
    return np.array([_auc(y == k, probabilities[:, k]) for k in range(probabilities.shape[1])])


def _average_precision(y: Values, probabilities: Values) -> float | None:
    """The sum over thresholds of precision times the recall that is gained there."""
    if probabilities.shape[1] > 2:
        return None
    order = np.argsort(-probabilities[:, 1], kind="stable")
    scores, hits = probabilities[order, 1], y[order].cumsum()
    if not hits[-1]:
        return 0.0
    # Rows with equal probabilities have one threshold.
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    gained = np.diff(hits[last], prepend=0) / hits[-1]
    return float(np.sum(gained * hits[last] / (last + 1)))


def _roc_auc_ovr(y: Values, probabilities: Values) -> float:
    if probabilities.shape[1] == 2:
        return _roc_auc(y, probabilities)
    return float(np.mean(_aucs(y, probabilities)))


def _roc_auc_ovr_weighted(y: Values, probabilities: Values) -> float:
    if probabilities.shape[1] == 2:
        return _roc_auc(y, probabilities)
    rows = np.bincount(y, minlength=probabilities.shape[1])
    return float(np.average(_aucs(y, probabilities), weights=rows))


QUICK: Mapping[str, Callable[[Values, Values], float | None]] = {
    "average_precision": _average_precision,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "f1_weighted": _f1_weighted,
    "f1_micro": _accuracy,
    "roc_auc": _roc_auc,
    "roc_auc_ovr": _roc_auc_ovr,
    "roc_auc_ovr_weighted": _roc_auc_ovr_weighted,
    "mae": lambda y, predictions: float(np.mean(np.abs(y - predictions))),
    "mse": lambda y, predictions: float(np.mean(np.square(y - predictions))),
    "medae": lambda y, predictions: float(np.mean(np.median(np.abs(y - predictions), axis=0))),
    "rmse": lambda y, predictions: float(np.mean(np.sqrt(np.mean(np.square(y - predictions), axis=0)))),
}
"""Measures without weights of rows that need no scorer, which takes half a millisecond or more for each network."""
