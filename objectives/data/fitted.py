"""`fitted_pipeline`: a task's network, trained on all of its rows, as a scikit-learn pipeline that takes raw rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.data.reading.transformer import TableReader
from cooldown.objectives.problem import Indices

READ, FEATURES, NETWORK = "read", "features", "network"
"""The names of the steps."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What a network is trained on.

    X: (n, d) before preprocessing. y: (n,) labels in their own type, or (n,) or (n, K) numbers in their own units.
    weights: (n,) or None. watched: the rows that a run which depends on its held-out loss watches, and is not trained
    on; None for a run that trains on all.
    """

    X: NDArray[np.float64]
    y: NDArray[Any]
    weights: NDArray[np.float64] | None
    watched: Indices | None


def fitted_pipeline(
    rows: Rows, columns: Sequence[ReadColumn], preprocessor: Any, network: Any, *, log: bool = False
) -> Pipeline:
    """A fitted pipeline: the reader of tables, if there are `columns`, the preprocessor and the network.

    columns: how each column of the table was read that X comes from; () for arrays, which the pipeline then takes as
    they are. preprocessor, network: unfitted. log: whether a regressor is trained on the logarithm of the target, which
    is brought back.
    """
    X = preprocessor.fit_transform(rows.X)
    train, given = np.arange(len(X)), {}
    if rows.watched is not None:
        train = np.setdiff1d(train, rows.watched)
        given = {"X_val": X[rows.watched], "y_val": rows.y[rows.watched]}
        if log:
            given["y_val"] = np.log(given["y_val"])
    given |= _weights(rows, train)
    if log:
        network = TransformedTargetRegressor(network, func=np.log, inverse_func=np.exp)
    network.fit(X[train], rows.y[train], **given)
    reader = [(READ, TableReader(tuple(columns)))] if columns else []
    return Pipeline([*reader, (FEATURES, preprocessor), (NETWORK, network)])


def _weights(rows: Rows, train: Indices) -> Mapping[str, Any]:
    """The weights of the rows to train on and to watch, as `fit` takes them."""
    if rows.weights is None:
        return {}
    if rows.watched is None:
        return {"sample_weight": rows.weights[train]}
    return {"sample_weight": rows.weights[train], "sample_weight_val": rows.weights[rows.watched]}
