"""Processes of this machine, which end with their coordinator."""

import multiprocessing
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import psutil

from cooldown.objectives.errors import CooldownWarning
from cooldown.search.executors.closed_streams import open_closed_streams
from cooldown.search.executors.contract import Executor, WorkerLostError, completed, job_errors
from cooldown.search.executors.engine import Engine
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.packed import Packed, Stored, store
from cooldown.search.executors.worker_process import ONE_THREAD, start_worker, without_signals

MOST_GROWTH = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2 * 10**9)}
"""Bytes by which a worker may grow. loky restarts one that grows by 300 MB, taking it for a leak; compiled kernels,
scikit-learn's trees and the problems of a few jobs are more than that."""


MOST_STARTS = 3
"""How often a pool is started for one job, while its workers die before they can take it."""


class LocalProcesses(Executor):
    """`workers` processes, which end when this process ends, even if it is killed. They start at once, and import what
    training takes while the caller reads its data.

    loky starts them without running the caller's main module, so that no `if __name__ == "__main__"` is needed. If one
    of them dies, all are replaced: which of their jobs it was is not known. Where no processes can be started, jobs are
    done in this process, and a CooldownWarning says so.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._instead, self._here = Inline(), False
        self._folder = Path(tempfile.mkdtemp(prefix="cooldown-"))
        self._stored: dict[Packed[Any], Stored] = {}
        self._pool = self._started()

    @property
    def capacity(self) -> int:
        """A job for each worker, and one that waits for it."""
        return self._instead.capacity if self._here else 2 * self._workers

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do the job in one of the processes."""
        stored = self._store(packed)
        for _attempt in range(MOST_STARTS):
            pool = self._pool = self._pool or self._started()
            if pool is None:
                return self._instead.submit(call, packed, *arguments)
            try:
                return pool.submit(_done_in_worker, stored, call, arguments)
            except BrokenExecutor:
                pool.close()
                self._pool = None
        raise WorkerLostError(f"worker processes died {MOST_STARTS} times while they started")

    def _started(self) -> "_Pool | None":
        """New processes; None where they cannot be started."""
        if self._here:
            return None
        try:
            if multiprocessing.current_process().daemon:
                raise OSError("a daemonic process may not start others")
            return _Pool(self._workers, self._folder)
        # No semaphores, which a pool needs and which are files in /dev/shm on Linux; no memory, or too many processes.
        except (ImportError, NotImplementedError, OSError) as error:
            warnings.warn(
                f"no worker processes can be started here ({getattr(error, 'strerror', None) or error}): training runs "
                "in this process, one job at a time",
                CooldownWarning,
                stacklevel=3,
            )
            self._here = True
            return None

    def _store(self, packed: Packed[Any]) -> Stored:
        if packed not in self._stored:
            self._stored[packed] = store(packed.pickled, self._folder)
        return self._stored[packed]

    def close(self) -> None:
        """Kill the workers, and remove the file of their data."""
        if self._pool:
            self._pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._pool = None
        self._stored.clear()


class _Pool:
    """The processes between two losses: if one of them dies, all jobs of the others are lost with its own."""

    def __init__(self, workers: int, folder: Path) -> None:
        from loky import ProcessPoolExecutor

        open_closed_streams()
        # loky's tracker of resources is started with the first of them, by the constructor.
        with without_signals():
            self._processes: Any = ProcessPoolExecutor(
                max_workers=workers,
                env=ONE_THREAD | MOST_GROWTH,
                initializer=start_worker,
                initargs=(os.getpid(), psutil.Process().create_time(), folder),
            )
            self._processes.submit(os.getpid)
        self._unfinished: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._lost = 0

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Do the call in a worker; raises BrokenExecutor if a worker has died."""
        future: Future[Any] = Future()
        with self._lock:
            self._unfinished.add(future)
        try:
            done = self._processes.submit(function, *arguments)
        except BrokenExecutor:
            self._unfinished.discard(future)
            raise
        done.add_done_callback(lambda done: completed(future, lambda: self._result(future, done)))
        return future

    def _result(self, future: "Future[Any]", done: "Future[Any]") -> Any:
        with self._lock:
            error = done.exception()
            if isinstance(error, BrokenExecutor):
                # They end one after the other: the first of them counts them all.
                self._lost = self._lost or len(self._unfinished)
            self._unfinished.discard(future)
        if isinstance(error, BrokenExecutor):
            raise WorkerLostError("a worker process died", self._lost)
        return done.result()

    def close(self) -> None:
        # Wait, because otherwise loky's thread would still clean up while the interpreter exits.
        self._processes.shutdown(wait=True, kill_workers=True)


def _done_in_worker(stored: Stored, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    with job_errors():
        return call(stored.value(), *arguments)


LOCAL = Engine("local", "processes of this machine", lambda workers, _address: LocalProcesses(workers))
