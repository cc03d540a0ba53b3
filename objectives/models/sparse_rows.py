"""Sparse rows: features (n, d) as a scipy CSR array, of which only the filled cells are kept and multiplied.

A network's features are an array or such a CSR array, whatever it is trained for; what differs is here.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.scratch import Scratch


def is_sparse(X: Any) -> bool:
    """Whether features are a CSR array, and no array of numpy's."""
    return not isinstance(X, np.ndarray)


def in_dtype(X: Any, dtype: np.dtype[Any]) -> Any:
    """Features in a precision: contiguous, or as a CSR array without zeros, whose columns ascend in each row."""
    if not is_sparse(X):
        return np.ascontiguousarray(X, dtype)
    from scipy.sparse import csr_array

    rows = csr_array(X, dtype=dtype, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def product(X: Any, weights: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """(R, m, H) the products of features (m, d), or of an array (R, m, d), with weights (R, d, H); written to `out` if
    it is given.
    """
    if not is_sparse(X):
        return np.asarray(np.matmul(X, weights, out=out))
    if out is None:
        out = np.empty((len(weights), X.shape[0], weights.shape[2]), weights.dtype)
    for of_replicate, of_weights in zip(out, weights, strict=True):
        of_replicate[:] = X @ of_weights
    return out


def taken(X: Any, rows: NDArray[np.int64], scratch: Scratch) -> Any:
    """The features of some rows (m,); those of an array in one of `scratch`."""
    if is_sparse(X):
        return X[rows]
    return X.take(rows, axis=0, out=scratch.array("inputs", (len(rows), X.shape[1]), X.dtype), mode="clip")


def stacked(parts: Sequence[Any]) -> Any:
    """The rows of all parts, one after the other."""
    if not is_sparse(parts[0]):
        return np.concatenate(parts)
    from scipy.sparse import vstack

    return vstack(parts, format="csr")


def bytes_of(X: Any) -> int:
    """Bytes that features take."""
    return int(X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) if is_sparse(X) else int(X.nbytes)


def arrays_of(X: Any) -> tuple[NDArray[Any], ...]:
    """All that features are, as arrays of numbers."""
    if not is_sparse(X):
        return (X,)
    return X.data, X.indices.astype(np.int64), X.indptr.astype(np.int64)


def hashed(X: Any) -> NDArray[Any]:
    """(n, …) numbers that are equal for equal rows alone: an array itself, and of sparse rows a digest."""
    if not is_sparse(X):
        return np.asarray(X)
    digests = [
        sha256(X.indices[start:end].astype(np.int64).tobytes() + X.data[start:end].tobytes()).digest()
        for start, end in pairwise(X.indptr)
    ]
    # As numbers that are no NaN, so that they can stand beside a target.
    return np.frombuffer(b"".join(digests), np.uint32).reshape(len(digests), -1).astype(np.float64)
