"""`fitted_pipeline`: a task's network, trained on all of its rows, as a scikit-learn pipeline that takes raw rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.data.reading.transformer import TableReader
from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from cooldown.objectives.problem import Indices

READ, FEATURES, NETWORK = "read", "features", "network"
"""The names of the steps."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What a network is trained on.

    X: (n, d) before preprocessing, an array or a CSR array. y: (n,) labels in their own type, or (n,) or (n, K) numbers
    in their own units.
    weights: (n,) or None. watched: the rows that a run which depends on its held-out loss watches, and is not trained
    on; None for a run that trains on all.
    """

    X: Any
    y: NDArray[Any]
    weights: NDArray[np.float64] | None
    watched: Indices | None


def fitted_pipeline(
    rows: Rows,
    columns: Sequence[ReadColumn],
    preprocessor: Any,
    config: TrainConfig,
    *,
    classifies: bool,
    class_weight: Any = None,
    log: bool = False,
    **network: Any,
) -> Pipeline:
    """A fitted pipeline: the reader of tables, if there are `columns`, the preprocessor and the network.

    columns: how each column of the table was read that X comes from; () for arrays, which the pipeline then takes as
    they are. preprocessor: unfitted. class_weight: as scikit-learn takes it, for classes. log: whether a regression is
    trained on the logarithm of the target, which is brought back. network: other parameters of the estimator.
    """
    X = preprocessor.fit_transform(rows.X)
    train, given = np.arange(X.shape[0]), {}
    if rows.watched is not None:
        train = np.setdiff1d(train, rows.watched)
        y_val = rows.y[rows.watched]
        given = {"X_val": X[rows.watched], "y_val": np.log(y_val) if log else y_val}
    if rows.weights is not None:
        given["sample_weight"] = rows.weights[train]
        if rows.watched is not None:
            given["sample_weight_val"] = rows.weights[rows.watched]
    if classifies:
        estimator = ScheduledMLPClassifier.from_config(config, class_weight=class_weight, **network)
    else:
        estimator = ScheduledMLPRegressor.from_config(config, **network)
        if log:
            estimator = TransformedTargetRegressor(estimator, func=np.log, inverse_func=np.exp)
    estimator.fit(X[train], rows.y[train], **given)
    reader = [(READ, TableReader(tuple(columns)))] if columns else []
    return Pipeline([*reader, (FEATURES, preprocessor), (NETWORK, estimator)])
