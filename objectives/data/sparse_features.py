"""Sparse features of a task: a CSR array in place of a matrix of numbers, whose empty cells are zeros.

They stay sparse from the user's matrix to the network's first layer (models/sparse_rows.py). Text and one-hot tables
have many columns that hardly a row fills: those that fewer than `LEAST` rows fill are left out, as a category is that
fewer rows have.
"""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices

COLUMNS = "columns"
"""The name of the step that keeps columns."""

LEAST = 2
"""Rows that fill a column, so that something is learned of it that holds for others."""


class FilledColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Keeps the columns that at least `least` rows fill. columns_: their indices, after `fit`."""

    def __init__(self, least: int = LEAST) -> None:
        self.least = least

    def fit(self, X: Any, y: Any = None) -> "FilledColumns":  # noqa: ARG002
        """Choose the columns by the rows X (n, d), a CSR array. Raises InputError if there is none."""
        X = validate_data(self, X, accept_sparse="csr")
        filled = np.bincount(X.indices[X.data != 0], minlength=X.shape[1])
        self.columns_ = np.flatnonzero(filled >= self.least)
        if not len(self.columns_):
            raise InputError(f"sparse features: no column is filled in {self.least} of the {X.shape[0]} training rows")
        return self

    def transform(self, X: Any) -> Any:
        """These columns of X (m, d), a CSR array or an array."""
        check_is_fitted(self)
        return validate_data(self, X, accept_sparse="csr", reset=False)[:, self.columns_]


def sparse_preprocessor(scale: bool) -> Pipeline:
    """The unfitted transformer of a task's sparse features; scale: whether to divide each column by its largest
    absolute value, which keeps zeros.
    """
    return Pipeline([(COLUMNS, FilledColumns()), ("scale", MaxAbsScaler() if scale else "passthrough")])


def takes_sparse_rows(preprocessor: Any) -> bool:
    """Whether a task's preprocessor is one of sparse features."""
    return isinstance(preprocessor, Pipeline) and COLUMNS in preprocessor.named_steps


def fitted_on(preprocessor: Pipeline, X: Any, train: Indices, rest: Indices) -> Pipeline:
    """Fitted to the columns of the rows `rest`, and to the scales of those in `train`."""
    columns, scale = (step for _, step in preprocessor.steps)
    columns.fit(X[rest])
    if scale != "passthrough":
        scale.fit(columns.transform(X[train]))
    return preprocessor
