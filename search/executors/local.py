"""Where training runs: a `concurrent.futures.Executor`, and the pure functions that it runs.

A worker gets a problem, configs and seeds and returns curves: no database, no Optuna, no state. Problems are pickled
once by the coordinator and unpickled once by each worker.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache

import numpy as np
import psutil
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve

# The processes are the parallelism: a worker's matrix products take one core.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class TrainingError(RuntimeError):
    """What a model raised in a worker, in words: the exception itself may not be picklable, or may end a process."""


def default_workers() -> int:
    """The cores that this process may use."""
    return len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else os.cpu_count() or 1


def local_processes(workers: int) -> Executor:
    """An executor of `workers` processes that end with this one, however it ends.

    loky starts them without running the caller's main module, so that no `if __name__ == "__main__"` is needed.
    """
    from loky import ProcessPoolExecutor

    executor: Executor = ProcessPoolExecutor(
        max_workers=workers, env=ONE_THREAD, initializer=_start_worker, initargs=(os.getpid(),)
    )
    with _without_ctrl_c():
        executor.submit(os.getpid)
    return executor


def stop(executor: Executor) -> None:
    """End an executor at once: queued work is dropped, local workers are killed."""
    try:
        # Waited for, because loky's thread would else put its things in order while the interpreter ends.
        executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
    except TypeError:
        executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes started in here never see Ctrl-C, which a terminal sends to all of them; this one sees it afterwards.

    An initializer would be too late for that: a worker spends its first second importing.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # Started with the first worker, this would unblock the signal again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(coordinator: int) -> None:
    """Leave Ctrl-C to the coordinator, and end when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        # The parent's number changes with its death on POSIX; elsewhere the process itself is asked.
        process = psutil.Process(coordinator)
        while os.getppid() == coordinator and process.is_running():
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def pack(problem: Problem) -> bytes:
    """The problem as it travels, models defined in a script or notebook included.

    Raises InputError for a model that cannot travel.
    """
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps(problem)
    except Exception as error:
        model = type(problem.model).__name__
        raise InputError(
            f"the model {model} cannot be sent to a worker process: {type(error).__name__}: {error}"
        ) from error
    return packed


@lru_cache(maxsize=8)
def _unpack(packed: bytes) -> Problem:
    import pickle

    problem: Problem = pickle.loads(packed)
    return problem


def train_packed(
    packed: bytes,
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    every_epoch: bool,
    limits: NDArray[np.float64] | None = None,
) -> list[list[Curve]]:
    """`objectives.train` on a packed problem; raises TrainingError, whatever goes wrong."""
    with _told():
        from cooldown.objectives.training.engine import train

        return train(_unpack(packed), configs, seeds, every_epoch=every_epoch, limits=limits)


def compile_packed(packed: bytes, configs: Sequence[TrainConfig]) -> float:
    """Compile, or load from disk, everything that these configs need on a packed problem; the seconds it took."""
    with _told():
        from cooldown.objectives.training.engine import train

        started = time.perf_counter()
        problem = _unpack(packed)
        # Two batches have all shapes that there are.
        rows = 2 * max((config.batch_size for config in configs), default=1)
        train(replace(problem, train=problem.train[:rows]), configs, [0])
        return time.perf_counter() - started


@contextmanager
def _told() -> Iterator[None]:
    """Turn any exception, a model's `sys.exit` too, into a TrainingError that says what was raised and where."""
    try:
        yield
    except BaseException as error:
        where, place = "", error.__traceback__
        while place is not None:
            where, place = f"{place.tb_frame.f_code.co_filename}, line {place.tb_lineno}", place.tb_next
        # Not chained: the cause would have to be pickled too.
        raise TrainingError(f"{type(error).__name__}: {error} ({where})") from None
