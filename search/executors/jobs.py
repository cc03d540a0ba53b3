"""The jobs that an executor runs: pure functions on packed problems.

A job takes configs, seeds and a problem for each seed, and returns curves: no database, no Optuna, no state. Problems
are pickled once by the coordinator and unpickled once by each worker.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.problem import Loop, Problem
from cooldown.objectives.quiet import collected
from cooldown.objectives.records import Curve, Reference


class TrainingError(RuntimeError):
    """The text of what a model raised in a worker: the exception itself may not be picklable, or may end a process."""


Problems = tuple[Problem, ...]
"""A problem for each seed."""


def pack(problems: Problems) -> bytes:
    """The problems as bytes for the workers, including models that are defined in a script or notebook.

    Raises InputError for a model that cannot be pickled.
    """
    import cloudpickle

    try:
        packed: bytes = cloudpickle.dumps(problems)
    except Exception as error:
        model = type(problems[0].model).__name__
        raise InputError(
            f"the model {model} cannot be sent to a worker process: {type(error).__name__}: {error}"
        ) from error
    return packed


@lru_cache(maxsize=8)
def unpacked(packed: bytes) -> Problems:
    """The problems that `pack` has packed."""
    import pickle

    problems: Problems = pickle.loads(packed)
    return problems


def train_packed(
    packed: bytes,
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    every_epoch: bool,
    limits: NDArray[np.float64] | None = None,
) -> list[list[Curve]]:
    """`cooldown.train` on a packed problem; raises TrainingError for any exception."""
    with _training_errors():
        from cooldown.objectives.training.engine import train

        return train(unpacked(packed), configs, seeds, every_epoch=every_epoch, limits=limits)


def references_packed(packed: bytes, names: Sequence[str]) -> list[Reference]:
    """The references of these names on the first of the packed problems; raises TrainingError for any exception."""
    with _training_errors():
        from cooldown.objectives.references import trained

        return trained(unpacked(packed)[0], names)


class Compiled(NamedTuple):
    """What compiling took in seconds, and what its process has to say about the cache of compiled kernels."""

    seconds: float
    remarks: tuple[str, ...]


def compile_packed(packed: bytes, configs: Sequence[TrainConfig]) -> Compiled:
    """Compile, or load from disk, everything that these configs need on a packed problem: nothing, for a loop of the
    user's own.
    """
    with _training_errors():
        from cooldown.objectives.training.engine import train

        started = time.perf_counter()
        problem = unpacked(packed)[0]
        if isinstance(problem.model, Loop):
            return Compiled(0.0, ())
        # Two batches contain all shapes that occur.
        rows = 2 * max((config.batch_size for config in configs), default=1)
        with collected(CooldownWarning) as remarks:
            train(replace(problem, train=problem.train[:rows]), configs, [0])
        return Compiled(time.perf_counter() - started, tuple(remarks))


@contextmanager
def _training_errors() -> Iterator[None]:
    """Turn any exception, including a model's `sys.exit`, into a TrainingError that says what was raised and where."""
    try:
        yield
    except BaseException as error:
        where, place = "", error.__traceback__
        while place is not None:
            where, place = f"{place.tb_frame.f_code.co_filename}, line {place.tb_lineno}", place.tb_next
        # Not chained: the cause would have to be pickled too.
        raise TrainingError(f"{type(error).__name__}: {error} ({where})") from None
