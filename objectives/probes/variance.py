"""The variance of a mini-batch's gradient, exactly, from the gradients of all rows."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices, Model, trainable

CHUNK = 64
"""Rows whose gradients are computed together."""


def gradient_variance(
    model: Model, theta: NDArray[np.float64], rows: Indices, batch_sizes: NDArray[np.int64] | list[int]
) -> NDArray[np.float64]:
    """(sizes,) E‖g_B − g‖², g_B the mean gradient of B of the `rows` (n,) drawn without replacement, g that of all.

    It is σ²/B · (n − B)/(n − 1), σ² the mean squared distance of one row's gradient from g: 1/B for small batches, 0
    for all rows. theta: (size,). batch_sizes: from 1 to n. Raises InputError for other sizes.
    """
    n, sizes = len(rows), np.asarray(batch_sizes, np.int64)
    if not len(sizes) or sizes.min() < 1 or sizes.max() > n:
        raise InputError(f"gradient_variance(batch_sizes=...): must be from 1 to the {n} rows, got {sizes.tolist()}")
    total, squares = np.zeros(trainable(model)), 0.0
    for start in range(0, n, CHUNK):
        chunk = rows[start : start + CHUNK, None]
        # One replicate per row: theirs are the gradients of single rows.
        _, gradients = model.loss_and_gradient(np.repeat(theta[None], len(chunk), axis=0), chunk)
        total += gradients.sum(axis=0)
        squares += float(np.square(gradients).sum())
    variance = squares / n - float(np.square(total / n).sum())
    return np.asarray(max(variance, 0.0) / sizes * (n - sizes) / max(n - 1, 1))
