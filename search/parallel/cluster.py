"""A parameter server as an actor of a Dask cluster, and its workers as tasks, each on a worker of its own there."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent, Trained
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.parallel.server import RULES, Array
from cooldown.objectives.parallel.worker import Exchange, work
from cooldown.search.executors.contract import JobError, WorkerLostError
from cooldown.search.executors.dask_connection import START, Connection

LOOK = 0.5
"""Seconds between two looks at whether all workers live: the task of a dead one would wait for it for ever."""


class Held:
    """A parameter server that one process holds: a Dask actor. Its arguments and answers are as in `Server`."""

    def __init__(self, size: int, rule: str) -> None:
        # A task on the actor's own worker calls it from its own thread.
        self._lock, self._rule = Lock(), RULES[rule]
        self._arrived, self._begun, self._ended = 0, 0.0, 0.0
        self._theta, self._state = np.zeros(size), np.zeros(size)

    def arrive(self) -> None:
        """See `Server`."""
        with self._lock:
            self._arrived += 1
            self._begun = time.monotonic()

    def arrived(self) -> int:
        """See `Server`."""
        return self._arrived

    def leave(self) -> None:
        """See `Server`."""
        with self._lock:
            self._ended = time.monotonic()

    def seconds(self) -> float:
        """See `Server`."""
        return self._ended - self._begun

    def fetch(self) -> Array:
        """See `Server`."""
        with self._lock:
            return self._theta.copy()

    def send(self, sent: Array, strength: float) -> Array:
        """See `Server`."""
        with self._lock:
            return self._rule(self._theta, self._state, sent, strength)


class Distant:
    """A `Server` that asks an actor, and waits for its answer."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def arrive(self) -> None:
        """See `Server`."""
        self._actor.arrive().result()

    def arrived(self) -> int:
        """See `Server`."""
        return int(self._actor.arrived().result())

    def leave(self) -> None:
        """See `Server`."""
        self._actor.leave().result()

    def seconds(self) -> float:
        """See `Server`."""
        return float(self._actor.seconds().result())

    def fetch(self) -> Array:
        """See `Server`."""
        return np.array(self._actor.fetch().result())

    def send(self, sent: Array, strength: float) -> Array:
        """See `Server`."""
        return np.array(self._actor.send(sent, strength).result())


def _task(rows: Rows, actor: Any, exchange: Exchange, descent: Descent, worker: int, workers: int) -> float:
    return work(rows, Distant(actor), exchange, descent, worker, workers)


@contextmanager
def connected(address: str | None, workers: int) -> Iterator[Connection]:
    """A cluster at an address, or one of this machine, with at least so many workers.

    Raises InputError if it has fewer.
    """
    with tempfile.TemporaryDirectory(prefix="cooldown-", ignore_cleanup_errors=True) as folder:
        connection = Connection(address, workers, Path(folder))
        try:
            if connection.is_own:
                with suppress(TimeoutError):
                    connection.client.wait_for_workers(workers, timeout=START)
            found = connection.workers() or []
            if len(found) < workers:
                raise InputError(f"the Dask cluster at {connection.address} has {len(found)} workers, not {workers}")
            yield connection
        finally:
            connection.close()


def on_cluster(rows: Rows, exchange: Exchange, descent: Descent, connection: Connection, workers: int) -> Trained:
    """Train with so many workers of the cluster, the first of which also holds the server.

    Raises JobError if one of them fails, and WorkerLostError if one dies.
    """
    client, shape = connection.client, (rows.features, rows.classes - 1)
    addresses = (connection.workers() or [])[:workers]
    try:
        # An actor is asked by the current client.
        with client.as_current():
            held = client.submit(
                Held, shape[0] * shape[1], exchange.rule, actor=True, workers=addresses[:1], pure=False
            )
            _wait([held], addresses, connection)
            actor, sent = held.result(), client.scatter(rows, broadcast=True)
            tasks = [
                client.submit(_task, sent, actor, exchange, descent, number, workers, workers=[address], pure=False)
                for number, address in enumerate(addresses)
            ]
            _wait(tasks, addresses, connection)
            server, busiest = Distant(actor), max(client.gather(tasks))
            return Trained(server.fetch().reshape(shape), server.seconds(), busiest)
    except WorkerLostError:
        raise
    except Exception as error:
        raise JobError(f"a worker of the Dask cluster failed: {type(error).__name__}: {error}") from error


def _wait(tasks: Sequence[Any], addresses: Sequence[str], connection: Connection) -> None:
    """Wait until all tasks have ended, or one of their workers has."""
    from distributed import wait

    while True:
        try:
            wait(tasks, timeout=LOOK)
            return
        except TimeoutError:
            if dead := set(addresses) - set(connection.workers() or ()):
                raise WorkerLostError(f"the worker at {min(dead)} died") from None
