"""The training losses of a multilayer perceptron on weighted rows: as in _kernels.py, with a weight for each row.

They are kernels of their own, so that training without weights keeps its bits and its speed.
"""

import numpy as np

from cooldown.objectives.fusion import REDUCING
from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.models._kernels import _exp


@kernel(**REDUCING)
def softmax_cross_entropy(z, theta, gradient, bias, labels, weights, indices, losses):  # type: ignore[no-untyped-def]
    """Sum of weight · cross-entropy of softmax(z + b) over the batch, divided by its rows B, and z (R, K, B) ← its
    gradient with respect to the logits.

    labels, weights: (n,) of all rows; indices: (R, B) the batch's rows; losses: (R,) float64, written.
    """
    outputs, rows = z.shape[1], z.shape[2]
    zero, scale = z.dtype.type(0), z.dtype.type(1) / z.dtype.type(rows)
    highest, normalizer = np.empty(rows, z.dtype), np.empty(rows, z.dtype)
    for r in range(z.shape[0]):
        highest[:] = -np.inf
        for k in range(outputs):
            row, offset = z[r, k], theta[r, bias + k]
            for b in range(rows):
                value = row[b] + offset
                row[b] = value
                highest[b] = value if value > highest[b] else highest[b]
        total = 0.0
        for b in range(rows):
            total += weights[indices[r, b]] * (highest[b] - z[r, labels[indices[r, b]], b])
        normalizer[:] = zero
        for k in range(outputs):
            row = z[r, k]
            for b in range(rows):
                row[b] = _exp(row[b] - highest[b])
                normalizer[b] += row[b]
        for b in range(rows):
            weight = weights[indices[r, b]]
            total += weight * np.log(normalizer[b])
            normalizer[b] = scale * weight / normalizer[b]
        for k in range(outputs):
            row, summed = z[r, k], zero
            for b in range(rows):
                row[b] *= normalizer[b]
                summed += row[b]
            gradient[r, bias + k] = summed
        for b in range(rows):
            label, share = labels[indices[r, b]], scale * weights[indices[r, b]]
            z[r, label, b] -= share
            gradient[r, bias + label] -= share
        losses[r] = total / rows


@kernel(**REDUCING)
def squared_error(z, theta, gradient, bias, targets, weights, indices, losses):  # type: ignore[no-untyped-def]
    """Sum of weight · squared error of z + b over batch and outputs, divided by their number, and z (R, K, B) ← its
    gradient with respect to the outputs.

    targets: (n, K) and weights: (n,) of all rows; indices: (R, B) the batch's rows; losses: (R,) float64, written.
    """
    outputs, rows = z.shape[1], z.shape[2]
    scale = z.dtype.type(2) / z.dtype.type(rows * outputs)
    for r in range(z.shape[0]):
        total = 0.0
        for k in range(outputs):
            row, offset, summed = z[r, k], theta[r, bias + k], z.dtype.type(0)
            for b in range(rows):
                weight = weights[indices[r, b]]
                error = row[b] + offset - targets[indices[r, b], k]
                total += weight * error * error
                row[b] = scale * weight * error
                summed += row[b]
            gradient[r, bias + k] = summed
        losses[r] = total / (rows * outputs)
