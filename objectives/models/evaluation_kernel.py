"""Held-out rows in compiled code: loss and hits of one replicate after the other, whose arrays stay in the cache.

As in a pass (pass_kernel.py) it calls kernels and NumPy's own loops by their addresses: the bits are those of the
model's `evaluate`, which makes the same calls for all replicates together.
"""

from typing import NamedTuple

import numpy as np

from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.models.numpy_loops import Loop
from cooldown.objectives.models.pass_kernel import ALONE, Numbers, Whole, call, compute, copy_into


class Steps(NamedTuple):
    """What is called for a network of L hidden layers.

    product, exp, log, sum: loops. activation, centred, sums: addresses. layers: (L, 3) of each hidden layer, the units
    below it, its width and its column of biases. output_bias: the output's. products: (L + 1, 16), from the inputs to
    the outputs, and of_exp, of_log, of_sum: (16,), descriptions of what the loops compute.
    """

    product: Loop
    exp: Loop
    log: Loop
    sum: Loop
    activation: int
    centred: int
    sums: int
    layers: Whole
    output_bias: int
    products: Whole
    of_exp: Whole
    of_log: Whole
    of_sum: Whole


class Rows(NamedTuple):
    """Arrays of one replicate, to which the loops are bound, for m rows.

    theta: (1, size). inputs: (m, d). labels: (m,). outputs: (m·H,), layer by layer. logits: (1, m, K). at_label and
    totals: (1, m). terms: (m,), total and hits: (1,), float64.
    """

    theta: Numbers
    inputs: Numbers
    labels: Whole
    outputs: Numbers
    logits: Numbers
    at_label: Numbers
    totals: Numbers
    terms: Numbers
    total: Numbers
    hits: Numbers


@kernel(nogil=True, **ALONE)
def measure(steps, rows, theta, replicates, losses, hits):  # type: ignore[no-untyped-def]
    """losses and hits (r,) float64 grow by the sums over the rows, of the `replicates` (r,) among those of theta.

    rows: with the inputs and the labels that are measured. theta: (R, size).
    """
    m = len(rows.inputs)
    for place in range(len(replicates)):
        copy_into(theta[replicates[place]], rows.theta[0])
        for i in range(len(steps.layers)):
            compute(steps.product, steps.products[i])
            start, width = steps.layers[i, 0] * m, steps.layers[i, 1]
            z = rows.outputs[start : start + m * width].reshape((1, m, width))
            call(steps.activation, (z, rows.theta, steps.layers[i, 2]))
        compute(steps.product, steps.products[len(steps.layers)])
        call(steps.centred, (rows.logits, rows.theta, steps.output_bias, rows.labels, rows.at_label, rows.hits))
        compute(steps.exp, steps.of_exp)
        call(steps.sums, (rows.logits, rows.totals))
        compute(steps.log, steps.of_log)
        for b in range(m):
            rows.terms[b] = np.float64(rows.totals[0, b] - rows.at_label[0, b])
        rows.total[0] = 0
        compute(steps.sum, steps.of_sum)
        losses[place] += rows.total[0]
        hits[place] += rows.hits[0]
