"""What one process does with a parameter server."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.parallel.descent import Descent
from cooldown.objectives.parallel.kernels import CONTROLS, FREE, updates
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.parallel.server import Server

BEGIN = 300.0
"""Seconds in which all workers should be ready, on a machine that is busy."""

LOOK = 0.002


@dataclass(frozen=True)
class Exchange:
    """rule: one of the server's. every: updates of a worker between two times at which it sends. elasticity: β of
    `easgd`, the force of all workers together.
    """

    rule: str
    every: int
    elasticity: float = 0.9


def work(rows: Rows, server: Server, exchange: Exchange, descent: Descent, worker: int, workers: int) -> float:
    """Train as one of several workers of `server`; returns the seconds in which it had a core.

    Raises TimeoutError if the others do not begin.
    """
    orders = [descent.order(len(rows), number)[worker::workers] for number in range(descent.passes)]
    shape, size = (rows.features, rows.classes - 1), descent.batch_size
    theta, sums = server.fetch().reshape(shape), np.zeros(shape if exchange.rule == "downpour" else (0, 0))
    control = np.zeros(CONTROLS, np.int64)

    def move(chunk: NDArray[np.int64], rate: float) -> None:
        updates(*rows.arrays, chunk, theta, sums, control, 0, 1, 0, rate, size, FREE)

    move(orders[0][:0], 0.0)
    _wait(server, workers)
    core = time.thread_time()
    for order, rate in zip(orders, descent.rates, strict=True):
        for begin in range(0, len(order), exchange.every * size):
            chunk = order[begin : begin + exchange.every * size]
            if exchange.rule == "downpour":
                move(chunk, rate)
                theta[:] = server.send(sums.ravel(), rate).reshape(shape)
                sums[:] = 0
            else:
                # The first gradient is that of the copy before the exchange.
                drawn = server.send(theta.ravel(), exchange.elasticity / workers)
                move(chunk[:size], rate)
                theta -= drawn.reshape(shape)
                move(chunk[size:], rate)
    core = time.thread_time() - core
    server.leave()
    return core


def _wait(server: Server, workers: int) -> None:
    """Wait until all workers are ready."""
    server.arrive()
    end = time.monotonic() + BEGIN
    while server.arrived() < workers:
        if time.monotonic() > end:
            raise TimeoutError(f"{server.arrived()} of {workers} workers were ready after {BEGIN:.0f} s")
        time.sleep(LOOK)
