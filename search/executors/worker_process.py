"""What all worker processes of this machine have in common: one core, no signals, an end with their coordinator."""

import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psutil

from cooldown.objectives.errors import CooldownWarning

# Parallelism is by processes: each worker's matrix products use one core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

LEFT_TO_COORDINATOR = {
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
}
"""Signals that a terminal, or whoever ends a group of processes, sends to workers too."""


@contextmanager
def without_signals() -> Iterator[None]:
    """Processes started in here ignore what is sent to a whole group, such as Ctrl-C in a terminal; this process gets
    it afterwards.

    An initializer would be too late: a worker imports for about a second before it runs.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    with _later():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_COORDINATOR)
        try:
            # If it were started with the first worker, it would unblock some of them in here.
            resource_tracker.ensure_running()
            signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_COORDINATOR)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _later() -> Iterator[None]:
    """This process's own handlers of these signals are called at the end.

    Blocking a signal in one thread is not enough: another thread takes it, and Python calls its handler in the main
    thread. A worker whose start that interrupts would print what it misses.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken: list[int] = []
    handlers = {number: signal.getsignal(number) for number in LEFT_TO_COORDINATOR}
    # None: a handler that is not Python's.
    changed = {number: handler for number, handler in handlers.items() if handler not in (None, signal.SIG_IGN)}
    for number in changed:
        signal.signal(number, lambda number, _frame: taken.append(number))
    try:
        yield
    finally:
        for number, handler in changed.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(taken):
            signal.raise_signal(number)


def start_worker(coordinator: int, started: float, folder: Path) -> None:
    """Leave signals and warnings about this machine to the coordinator, end when it has ended, and import what training
    takes.

    coordinator: its process id. started: its start time, as psutil gives it. folder: that of its data, which it cannot
    remove any more if it was killed.
    """
    for number in LEFT_TO_COORDINATOR:
        signal.signal(number, signal.SIG_IGN)
    warnings.simplefilter("ignore", CooldownWarning)

    def watch() -> None:
        # The coordinator may have ended before this process came here.
        while _lives(coordinator, started):
            time.sleep(0.2)
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    import_module("cooldown.objectives.training.engine")


def _lives(parent: int, started: float) -> bool:
    """Whether this process's parent lives. Process ids are reused, so that its start time decides, too."""
    if os.name == "posix":
        # The orphans of a process get another parent.
        return os.getppid() == parent
    try:
        return psutil.Process(parent).create_time() == started
    except psutil.NoSuchProcess:
        return False
