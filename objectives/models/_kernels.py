"""The elementwise parts of a multilayer perceptron, each fused into one compiled pass over a batch.

All arrays are C-contiguous and of one float type; R replicates, B rows, H hidden units or K outputs. Biases are
in the parameter matrix (R, P) from column `bias` on, and their gradients in the gradient matrix in the same columns.
Loops work on slices of single rows, because only then does the compiler use SIMD. Outputs are stored
along the batch, (R, K, B), because there are often too few of them to fill a SIMD register.
"""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from cooldown.objectives.fusion import OPTIONS, REDUCING
from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.models._architecture import MOMENTUM, VARIANCE_GUARD


@kernel(**OPTIONS)
def bias_relu(z, theta, bias):  # type: ignore[no-untyped-def]
    """z (R, B, H) ← max(z + b, 0); a NaN stays a NaN, so that the loss shows a divergence."""
    zero = z.dtype.type(0)
    for r in range(z.shape[0]):
        offsets = theta[r, bias : bias + z.shape[2]]
        for b in range(z.shape[1]):
            row = z[r, b]
            for h in range(row.size):
                value = row[h] + offsets[h]
                row[h] = zero if value <= zero else value


@kernel(**OPTIONS)
def relu_backward(delta, activation, gradient, bias):  # type: ignore[no-untyped-def]
    """delta (R, B, H) ← delta · 1[activation > 0]; the bias gradient is its sum over the batch."""
    zero = delta.dtype.type(0)
    for r in range(delta.shape[0]):
        sums = gradient[r, bias : bias + delta.shape[2]]
        sums[:] = zero
        for b in range(delta.shape[1]):
            row, active = delta[r, b], activation[r, b]
            for h in range(row.size):
                value = row[h] if active[h] != zero else zero
                row[h] = value
                sums[h] += value


@kernel(**OPTIONS)
def bias_tanh(z, theta, bias):  # type: ignore[no-untyped-def]
    """z (R, B, H) ← tanh(z + b)."""
    for r in range(z.shape[0]):
        offsets = theta[r, bias : bias + z.shape[2]]
        for b in range(z.shape[1]):
            row = z[r, b]
            for h in range(row.size):
                row[h] = np.tanh(row[h] + offsets[h])


@kernel(**OPTIONS)
def tanh_backward(delta, activation, gradient, bias):  # type: ignore[no-untyped-def]
    """delta (R, B, H) ← delta · (1 − activation²); the bias gradient is its sum over the batch."""
    one = delta.dtype.type(1)
    for r in range(delta.shape[0]):
        sums = gradient[r, bias : bias + delta.shape[2]]
        sums[:] = delta.dtype.type(0)
        for b in range(delta.shape[1]):
            row, active = delta[r, b], activation[r, b]
            for h in range(row.size):
                value = row[h] * (one - active[h] * active[h])
                row[h] = value
                sums[h] += value


@kernel(**REDUCING)
def batch_norm(z, theta, scale, statistics, normalized, inverse):  # type: ignore[no-untyped-def]
    """z (R, B, H) ← γ·(z − mean)/√(var + 1e-5) with mean and variance of the batch; β is the bias that comes after.

    The parameters γ are in `theta` from column `scale` on, the running means and then variances from `statistics` on:
    these move a tenth of the way to those of the batch, whose variance is divided by B − 1, as in torch. A batch of one
    row does not change them. normalized: (R, B, H) and inverse: (R, H), 1/√(var + 1e-5), are written.
    """
    rows, width = z.shape[1], z.shape[2]
    one, guard, momentum = z.dtype.type(1), z.dtype.type(VARIANCE_GUARD), z.dtype.type(MOMENTUM)
    mean, variance = np.empty(width, z.dtype), np.empty(width, z.dtype)
    for r in range(z.shape[0]):
        mean[:] = z.dtype.type(0)
        variance[:] = z.dtype.type(0)
        for b in range(rows):
            row = z[r, b]
            for h in range(width):
                mean[h] += row[h]
        for h in range(width):
            mean[h] /= z.dtype.type(rows)
        for b in range(rows):
            row, out = z[r, b], normalized[r, b]
            for h in range(width):
                centred = row[h] - mean[h]
                out[h] = centred
                variance[h] += centred * centred
        gamma, factors = theta[r, scale : scale + width], inverse[r]
        for h in range(width):
            factors[h] = one / np.sqrt(variance[h] / z.dtype.type(rows) + guard)
        for b in range(rows):
            row, out = z[r, b], normalized[r, b]
            for h in range(width):
                value = out[h] * factors[h]
                out[h] = value
                row[h] = gamma[h] * value
        if rows > 1:
            means = theta[r, statistics : statistics + width]
            variances = theta[r, statistics + width : statistics + 2 * width]
            for h in range(width):
                means[h] += momentum * (mean[h] - means[h])
                variances[h] += momentum * (variance[h] / z.dtype.type(rows - 1) - variances[h])


@kernel(**REDUCING)
def batch_norm_backward(delta, theta, gradient, scale, normalized, inverse):  # type: ignore[no-untyped-def]
    """delta (R, B, H) ← the gradient of `batch_norm`'s input, from that of its output; γ's gradient is written."""
    rows, width = delta.shape[1], delta.shape[2]
    share = delta.dtype.type(1) / delta.dtype.type(rows)
    sums, products = np.empty(width, delta.dtype), np.empty(width, delta.dtype)
    for r in range(delta.shape[0]):
        sums[:] = delta.dtype.type(0)
        products[:] = delta.dtype.type(0)
        for b in range(rows):
            row, out = delta[r, b], normalized[r, b]
            for h in range(width):
                sums[h] += row[h]
                products[h] += row[h] * out[h]
        gamma, factors, slopes = theta[r, scale : scale + width], inverse[r], gradient[r, scale : scale + width]
        for h in range(width):
            slopes[h] = products[h]
        for b in range(rows):
            row, out = delta[r, b], normalized[r, b]
            for h in range(width):
                row[h] = gamma[h] * factors[h] * (row[h] - share * (sums[h] + out[h] * products[h]))


def _exp(x: Any) -> Any:
    """e^x for x ≤ 0, in the precision of x."""
    raise NotImplementedError("a compiled function: see _compile_exp")


@overload(_exp, inline="always")
def _compile_exp(x):  # type: ignore[no-untyped-def]
    """`np.exp` for float64. For float32 a polynomial, which unlike the library's function compiles to SIMD:
    e^x = 2^n e^r with |r| ≤ ½ ln 2, as in Moshier's Cephes; within 2 units in the last place.
    """
    if x != types.float32:
        return lambda x: np.exp(x)
    f = np.float32
    lowest, log2e, half, ln2_high, ln2_low = f(-87.0), f(1.44269504), f(0.5), f(0.693359375), f(-2.12194440e-4)
    c0, c1, c2 = f(1.9875691500e-4), f(1.3981999507e-3), f(8.3334519073e-3)
    c3, c4, c5 = f(4.1665795894e-2), f(1.6666665459e-1), f(5.0000001201e-1)
    bias, shift, one = np.int32(127), np.int32(23), f(1)

    def exp(x):  # type: ignore[no-untyped-def]
        x = lowest if x < lowest else x
        n = np.floor(x * log2e + half)
        r = x - n * ln2_high - n * ln2_low
        p = ((((c0 * r + c1) * r + c2) * r + c3) * r + c4) * r + c5
        power = np.int32((np.int32(n) + bias) << shift).view(np.float32)
        return (p * r * r + r + one) * power

    return exp


@kernel(**REDUCING)
def softmax_cross_entropy(z, theta, gradient, bias, labels, indices, losses):  # type: ignore[no-untyped-def]
    """Mean cross-entropy of softmax(z + b) over the batch, and z (R, K, B) ← its gradient with respect to the logits.

    labels: (n,) classes of all rows; indices: (R, B) the batch's rows; losses: (R,) float64, written.
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
            total += highest[b] - z[r, labels[indices[r, b]], b]
        normalizer[:] = zero
        for k in range(outputs):
            row = z[r, k]
            for b in range(rows):
                row[b] = _exp(row[b] - highest[b])
                normalizer[b] += row[b]
        for b in range(rows):
            total += np.log(normalizer[b])
            normalizer[b] = scale / normalizer[b]
        for k in range(outputs):
            row, summed = z[r, k], zero
            for b in range(rows):
                row[b] *= normalizer[b]
                summed += row[b]
            gradient[r, bias + k] = summed
        for b in range(rows):
            label = labels[indices[r, b]]
            z[r, label, b] -= scale
            gradient[r, bias + label] -= scale
        losses[r] = total / rows


@kernel(**REDUCING)
def squared_error(z, theta, gradient, bias, targets, indices, losses):  # type: ignore[no-untyped-def]
    """Mean squared error of z + b over batch and outputs, and z (R, K, B) ← its gradient with respect to the outputs.

    targets: (n, K) of all rows; indices: (R, B) the batch's rows; losses: (R,) float64, written.
    """
    outputs, rows = z.shape[1], z.shape[2]
    scale = z.dtype.type(2) / z.dtype.type(rows * outputs)
    for r in range(z.shape[0]):
        total = 0.0
        for k in range(outputs):
            row, offset, summed = z[r, k], theta[r, bias + k], z.dtype.type(0)
            for b in range(rows):
                error = row[b] + offset - targets[indices[r, b], k]
                total += error * error
                row[b] = scale * error
                summed += row[b]
            gradient[r, bias + k] = summed
        losses[r] = total / (rows * outputs)
