"""Local worker processes: a `concurrent.futures.Executor` that ends with its coordinator."""

import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import psutil

from cooldown.objectives.errors import CooldownWarning
from cooldown.search.executors.closed_streams import open_closed_streams

# Parallelism is by processes: each worker's matrix products use one core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


MOST_GROWTH = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2 * 10**9)}
"""Bytes by which a worker may grow. loky restarts one that grows by 300 MB, taking it for a leak; compiled kernels,
scikit-learn's trees and the problems of a few jobs are more than that."""


def default_workers() -> int:
    """The number of cores that this process may use: of its affinity, or of its container's quota if that is less."""
    import loky

    cores: int = loky.cpu_count()
    return cores


def local_processes(workers: int) -> Executor:
    """An executor of `workers` processes, which end when this process ends, even if it is killed.

    loky starts them without running the caller's main module, so that no `if __name__ == "__main__"` is needed. Where
    no processes can be started, jobs run one after another in a thread of this process, and a CooldownWarning says so.
    """
    if multiprocessing.current_process().daemon:
        return _one_thread("a daemonic process may not start others")
    try:
        return _processes(workers)
    # No semaphores, which a pool needs and which are files in /dev/shm on Linux; no memory, or too many processes.
    except (ImportError, NotImplementedError, OSError) as error:
        return _one_thread(getattr(error, "strerror", None) or str(error))


def _processes(workers: int) -> Executor:
    from loky import ProcessPoolExecutor

    open_closed_streams()
    executor: Executor = ProcessPoolExecutor(
        max_workers=workers,
        env=ONE_THREAD | MOST_GROWTH,
        initializer=_start_worker,
        initargs=(os.getpid(), psutil.Process().create_time()),
    )
    with _without_ctrl_c():
        executor.submit(os.getpid)
    return executor


def _one_thread(reason: str) -> Executor:
    warnings.warn(
        f"no worker processes can be started here ({reason}): training runs in this process, one job at a time",
        CooldownWarning,
        stacklevel=2,
    )
    return ThreadPoolExecutor(1)


def stop(executor: Executor) -> None:
    """End an executor at once: queued work is dropped, local workers are killed."""
    try:
        # Wait, because otherwise loky's thread would still clean up while the interpreter exits.
        executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
    except TypeError:
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes started in here ignore Ctrl-C, which a terminal sends to all of them; this process gets it afterwards.

    An initializer would be too late: a worker imports for about a second before it runs.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # If it were started with the first worker, it would unblock the signal again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(coordinator: int, started: float) -> None:
    """Leave Ctrl-C and warnings about this machine to the coordinator, and end when it has ended.

    coordinator: its process id. started: its start time, as psutil gives it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore", CooldownWarning)

    def watch() -> None:
        # The coordinator may have ended before this process came here.
        while _lives(coordinator, started):
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _lives(parent: int, started: float) -> bool:
    """Whether this process's parent lives. Process ids are reused, so that its start time decides, too."""
    if os.name == "posix":
        # The orphans of a process get another parent.
        return os.getppid() == parent
    try:
        return psutil.Process(parent).create_time() == started
    except psutil.NoSuchProcess:
        return False
