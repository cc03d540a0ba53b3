"""The one compiled loop of all systems: updates of shared or own parameters on sparse rows."""

import numpy as np

from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.parallel.atomics import exchange, load, store, yield_processor

FREE, LOCK, TURNS = 0, 1, 2
"""How a thread updates parameters that others update too: as if it were alone; reading and writing under one lock; or
writing when it is its turn.
"""

HELD, TURN, STOP, CONTROLS = 0, 8, 16, 24
"""Places in the control words, each in a cache line of its own: whether the lock is held; whose turn it is, counted in
updates; and whether to stop.
"""

PATIENCE = 64
"""How often a thread that waits looks again before it lets another one run."""


@kernel(nogil=True)
def updates(  # type: ignore[no-untyped-def]
    indptr, indices, values, labels, order, theta, sums, control, worker, workers, before, rate, size, mode
):
    """Plain SGD on the rows `order` in batches of `size`, of which worker i of p makes each p-th from the i-th on.

    indptr, indices, values, labels: as in `Rows`. theta: (d, K−1). sums: (d, K−1), to which gradients are added, or
    (0, 0). control: (CONTROLS,). before: how many updates were made before, of all workers. mode: FREE, LOCK or TURNS.
    """
    outputs = theta.shape[1]
    coefficients = np.empty((size, outputs))
    for number in range(worker, -(-order.size // size), workers):
        if load(control, STOP):
            return
        batch = order[number * size : (number + 1) * size]
        tries = 0
        while mode == LOCK and exchange(control, HELD, 1):
            tries += 1
            if tries % PATIENCE == 0:
                yield_processor()
        for b in range(batch.size):
            # The gradient of the logits: probabilities minus 1 for the label, without the first class.
            row, own = batch[b], coefficients[b]
            largest = 0.0
            for k in range(outputs):
                logit = 0.0
                for place in range(indptr[row], indptr[row + 1]):
                    logit += values[place] * theta[indices[place], k]
                own[k] = logit
                largest = max(largest, logit)
            total = np.exp(-largest)
            for k in range(outputs):
                own[k] = np.exp(own[k] - largest)
                total += own[k]
            for k in range(outputs):
                own[k] = (own[k] / total - (labels[row] == k + 1)) / batch.size
        while mode == TURNS and load(control, TURN) != before + number:
            tries += 1
            if tries % PATIENCE == 0:
                if load(control, STOP):
                    return
                yield_processor()
        for b in range(batch.size):
            for place in range(indptr[batch[b]], indptr[batch[b] + 1]):
                for k in range(outputs):
                    change = values[place] * coefficients[b, k]
                    theta[indices[place], k] -= rate * change
                    if sums.size:
                        sums[indices[place], k] += change
        if mode == LOCK:
            store(control, HELD, 0)
        elif mode == TURNS:
            store(control, TURN, before + number + 1)
