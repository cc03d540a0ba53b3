"""The rows of a fit: features, target and weights as one array each, in the order in which they are trained on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import is_regressor
from sklearn.utils.validation import _check_sample_weight, validate_data

from cooldown.objectives.errors import InputError
from cooldown.objectives.models.sparse_rows import hashed, in_dtype, stacked
from cooldown.objectives.problem import Indices

Weights = NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Rows:
    """X: (n, d), an array or a CSR array. target: (n,) or (n, K) what the network learns, before scaling. weights: (n,)
    above 0, or None.
    """

    X: Any
    target: NDArray[Any]
    weights: Weights

    def __len__(self) -> int:
        return len(self.target)

    def of(self, rows: Indices) -> Weights:
        """The weights of some rows."""
        return None if self.weights is None else self.weights[rows]

    def followed_by(self, other: "Rows") -> "Rows":
        """These rows and then the others; where only one part has weights, the rows of the other have 1."""
        weights = None
        if self.weights is not None or other.weights is not None:
            parts = [np.ones(len(part)) if part.weights is None else part.weights for part in (self, other)]
            weights = np.concatenate(parts)
        X, target = stacked([self.X, other.X]), np.concatenate([self.target, other.target])
        return Rows(X, target, weights)

    def in_one_batch(self, batch_size: int) -> "Rows":
        """Rows that all enter every update, in the order of their values, and as often as their weights say.

        Then nothing depends on their order, and a row of weight k is k rows, to the last bit. Rows that do not fit into
        one batch, or whose weights are not whole, stay as they are: there a weight multiplies the row's loss.
        """
        counts = np.ones(len(self)) if self.weights is None else self.weights
        if counts.sum() > batch_size or (counts != np.floor(counts)).any():
            return self
        values = np.column_stack([self.target.reshape(len(self), -1), hashed(self.X)])
        order = np.lexsort(values.T)
        rows = np.repeat(order, counts[order].astype(np.int64))
        return Rows(self.X[rows], self.target[rows], None)


def read(estimator: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Any, Any, Weights]:
    """X (n, d) and y (n,) or (n, K), finite, as scikit-learn reads them, and the weights, without the rows of weight 0.

    reset: whether these are the first rows of the estimator. Sparse features become a CSR array.
    """
    X, y = validate_data(
        estimator,
        X,
        y,
        reset=reset,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        multi_output=True,
        y_numeric=is_regressor(estimator),
    )
    X, y = in_dtype(X, X.dtype) if issparse(X) else X, dense(y)
    if sample_weight is None:
        return X, y, None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    known = weights > 0
    return X[known], y[known], np.asarray(weights[known])


def read_validation(estimator: Any, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Weights] | None:
    """The rows of a validation set, like `read`; None without one. Raises InputError for one half of a set."""
    if X is None and y is None:
        if sample_weight is not None:
            raise InputError(f"{type(estimator).__name__}.fit(sample_weight_val=...): needs X_val and y_val")
        return None
    if X is None or y is None:
        given, missing = ("y_val", "X_val") if X is None else ("X_val", "y_val")
        raise InputError(f"{type(estimator).__name__}.fit({given}=...): needs {missing} too")
    return read(estimator, X, y, sample_weight, reset=False)


def dense(matrix: Any) -> Any:
    """A sparse matrix as an array; anything else as it is."""
    return matrix.toarray() if issparse(matrix) else matrix
