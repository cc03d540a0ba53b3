"""`Rows`: labelled sparse rows, and the multinomial logistic regression that is trained on them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cooldown.objectives.errors import InputError


@dataclass(frozen=True, eq=False)
class Rows:
    """n rows of d features in CSR form: row i has `values[indptr[i]:indptr[i + 1]]` in the columns `indices[…]`.

    labels: (n,) classes 0…K−1. Parameters θ are (d, K−1): the logits of all classes but the first, which has 0. There
    is no bias, which each row would share with each other one.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    features: int
    classes: int

    @classmethod
    def of(cls, X: Any, y: Any) -> "Rows":
        """From a matrix (n, d), dense or sparse, and labels (n,) of any kind, numbered in their order.

        Raises InputError for no rows, a single class, values that are all 0, and for what is not finite.
        """
        matrix, (classes, labels) = csr_array(X, dtype=np.float64), np.unique(np.asarray(y), return_inverse=True)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        if len(classes) < 2:
            raise InputError(f"parallel SGD: rows of at least 2 classes are needed, got {len(classes)}")
        if not np.isfinite(matrix.data).all():
            raise InputError("parallel SGD: all values must be finite numbers")
        if not matrix.nnz:
            raise InputError("parallel SGD: all values are 0")
        indptr, indices = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
        return cls(indptr, indices, matrix.data, labels.astype(np.int64), matrix.shape[1], len(classes))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def arrays(self) -> tuple[NDArray[Any], ...]:
        """What the compiled loop reads: indptr, indices, values and labels."""
        return self.indptr, self.indices, self.values, self.labels

    @property
    def filled(self) -> float:
        """The share of values that are not zero."""
        return len(self.values) / (len(self) * self.features)

    @cached_property
    def matrix(self) -> Any:
        """The rows as a sparse matrix (n, d) of scipy."""
        return csr_array((self.values, self.indices, self.indptr), shape=(len(self), self.features))

    @cached_property
    def usual_rate(self) -> float:
        """A learning rate for single rows: 1 over the mean squared length of a row, near the largest that is stable."""
        return len(self) / float(self.values @ self.values)

    def loss(self, theta: NDArray[np.float64]) -> float:
        """The mean cross-entropy of all rows at θ (d, K−1); not finite where θ is not."""
        if not np.isfinite(theta).all():
            return np.inf
        logits = np.column_stack([np.zeros(len(self)), self.matrix @ theta])
        largest = logits.max(axis=1)
        total = largest + np.log(np.exp(logits - largest[:, None]).sum(axis=1))
        return float(np.mean(total - logits[np.arange(len(self)), self.labels]))
