"""The training loss of a multilayer perceptron whose rows have sets of labels: as in _weighted_kernels.py, with a
weight for each row, 1 where rows have none.
"""

import numpy as np

from cooldown.objectives.fusion import REDUCING
from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.models._kernels import _exp


@kernel(**REDUCING)
def binary_cross_entropy(z, theta, gradient, bias, targets, weights, indices, losses):  # type: ignore[no-untyped-def]
    """Sum of weight · cross-entropy of σ(z + b) over batch and labels, divided by their number, and z (R, K, B) ← its
    gradient with respect to the logits.

    targets: (n, K), 1 for a label that a row has, else 0, and weights: (n,), of all rows; indices: (R, B) the batch's
    rows; losses: (R,) float64, written.
    """
    outputs, rows = z.shape[1], z.shape[2]
    zero, one = z.dtype.type(0), z.dtype.type(1)
    scale = one / z.dtype.type(rows * outputs)
    for r in range(z.shape[0]):
        total = 0.0
        for k in range(outputs):
            row, offset, summed = z[r, k], theta[r, bias + k], zero
            for b in range(rows):
                logit = row[b] + offset
                target, weight = targets[indices[r, b], k], weights[indices[r, b]]
                small = _exp(-abs(logit))
                highest = logit if logit > zero else zero
                total += weight * (highest - logit * target + np.log1p(small))
                probability = (one if logit >= zero else small) / (one + small)
                row[b] = scale * weight * (probability - target)
                summed += row[b]
            gradient[r, bias + k] = summed
        losses[r] = total / (rows * outputs)
