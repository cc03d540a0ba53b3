"""Local worker processes: a `concurrent.futures.Executor` that ends with its coordinator."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

import psutil

# Parallelism is by processes: each worker's matrix products use one core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


MOST_GROWTH = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(2 * 10**9)}
"""Bytes by which a worker may grow. loky restarts one that grows by 300 MB, taking it for a leak; compiled kernels,
scikit-learn's trees and the problems of a few jobs are more than that."""


LEFT_TO_COORDINATOR = {
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
}
"""Signals that a terminal, or whoever ends a group of processes, sends to workers too."""


def default_workers() -> int:
    """The number of cores that this process may use."""
    return len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1


def local_processes(workers: int) -> Executor:
    """An executor of `workers` processes, which end when this process ends, even if it is killed.

    loky starts them without running the caller's main module, so that no `if __name__ == "__main__"` is needed.
    """
    from loky import ProcessPoolExecutor

    # loky's tracker of resources is started with the first of them, by the constructor.
    with _without_signals():
        executor: Executor = ProcessPoolExecutor(
            max_workers=workers, env=ONE_THREAD | MOST_GROWTH, initializer=_start_worker, initargs=(os.getpid(),)
        )
        executor.submit(os.getpid)
    return executor


def stop(executor: Executor) -> None:
    """End an executor at once: queued work is dropped, local workers are killed."""
    try:
        # Wait, because otherwise loky's thread would still clean up while the interpreter exits.
        executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
    except TypeError:
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_signals() -> Iterator[None]:
    """Processes started in here ignore what is sent to a whole group, such as Ctrl-C in a terminal; this process gets
    it afterwards.

    An initializer would be too late: a worker imports for about a second before it runs.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    before = signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_COORDINATOR)
    try:
        # If it were started with the first worker, it would unblock some of them in here.
        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_COORDINATOR)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(coordinator: int) -> None:
    """Leave these signals to the coordinator, and end when it has ended."""
    for number in LEFT_TO_COORDINATOR:
        signal.signal(number, signal.SIG_IGN)

    def watch() -> None:
        # On POSIX the parent's process ID changes when it dies; elsewhere the process itself is checked.
        process = psutil.Process(coordinator)
        while os.getppid() == coordinator and process.is_running():
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
