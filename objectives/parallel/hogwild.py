"""Hogwild!: threads that train the same parameters without a lock; and, to compare, with one, and by turns.

The threads run compiled code, which holds no lock of the interpreter. Without a lock two threads may add to the same
parameter at once, and one of the two changes is lost: rare with sparse rows, and then harmless.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent, Trained
from cooldown.objectives.parallel.kernels import CONTROLS, FREE, LOCK, STOP, TURNS, updates
from cooldown.objectives.parallel.rows import Rows

MODES = {"hogwild": FREE, "lock": LOCK, "round robin": TURNS}
"""What a thread does: reads and writes as it likes; both under one lock; or computes, and writes in its turn."""


def hogwild(rows: Rows, descent: Descent, threads: int, mode: str = "hogwild") -> Trained:
    """Train with so many threads; with one it is plain SGD. mode: one of `MODES`.

    Raises InputError where so many threads cannot be started.
    """
    theta, control = np.zeros((rows.features, rows.classes - 1)), np.zeros(CONTROLS, np.int64)
    unused = np.zeros((0, 0))
    orders = [descent.order(len(rows), number) for number in range(descent.passes)]
    begin = threading.Barrier(threads)

    def one_pass(worker: int, number: int, order: NDArray[np.int64]) -> None:
        before, size = number * -(-len(order) // descent.batch_size), descent.batch_size
        of_thread = worker, threads, before, descent.rates[number], size, MODES[mode]
        updates(*rows.arrays, order, theta, unused, control, *of_thread)

    def work(worker: int) -> tuple[float, float, float]:
        begin.wait()
        begun, core = time.perf_counter(), time.thread_time()
        for number, order in enumerate(orders):
            one_pass(worker, number, order)
        return begun, time.perf_counter(), time.thread_time() - core

    # Compiled before the time is taken.
    one_pass(0, 0, orders[0][:0])
    with ThreadPoolExecutor(threads) as pool:
        try:
            running = [pool.submit(work, worker) for worker in range(threads)]
            times = [each.result() for each in running]
        except BaseException as error:
            # Compiled code is not interrupted, but looks at this; and nobody waits for a thread that never came.
            control[STOP] = 1
            begin.abort()
            if isinstance(error, RuntimeError):
                raise InputError(f"hogwild: {threads} threads cannot be started here ({error})") from error
            raise
    begun, ended, of_a_core = zip(*times, strict=True)
    return Trained(theta, max(ended) - min(begun), max(of_a_core))
