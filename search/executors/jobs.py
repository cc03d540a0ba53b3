"""The jobs that an executor runs: pure functions of a task's problems.

A job takes configs and seeds, and returns curves, and who trained them when: no database, no Optuna, no state. Its
problems are made in the worker from the task's data, which is sent there once.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import CooldownWarning
from cooldown.objectives.problem import Loop, Problem
from cooldown.objectives.quiet import collected
from cooldown.objectives.records import Curve, Reference
from cooldown.search.executors.contract import UnfitError
from cooldown.storage import Purpose, Work

T = TypeVar("T")

Curves = list[list[Curve]]
"""By config, and of each by seed."""


class Trained(NamedTuple, Generic[T]):
    """What a job that trains returns. work: who has done it, part by part."""

    result: T
    work: tuple[Work, ...]


class Problems(Protocol):
    """What jobs share: the problems of all their runs."""

    def problems(self, purpose: Purpose, repeat: int) -> tuple[Problem, ...]:
        """The problem of each seed of a repeat's runs with this purpose: with the rows that they may use, and no
        others.
        """


def train_replicates(
    data: Problems,
    purpose: Purpose,
    repeat: int,
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    limits: NDArray[np.float64] | None = None,
    first: int = 0,
) -> Trained[Curves]:
    """`cooldown.train` on a repeat's problems. first: which of them is that of the first seed, and others follow."""
    from cooldown.objectives.training.engine import train

    started, every_epoch = time.time(), purpose is not Purpose.EVALUATION
    problems = data.problems(purpose, repeat)[first : first + len(seeds)]
    curves = train(problems, configs, seeds, every_epoch=every_epoch, limits=limits)
    return Trained(curves, (work_since(started),))


def train_references(data: Problems, repeat: int, names: Sequence[str]) -> Trained[list[Reference]]:
    """The references of these names on the first of a repeat's problems of the evaluation."""
    from cooldown.objectives.references import trained

    started = time.time()
    references = trained(data.problems(Purpose.EVALUATION, repeat)[0], names)
    return Trained(references, (work_since(started),))


def work_since(started: float) -> Work:
    """What this process has done from then to now. started: seconds since 1970."""
    # A clock that was set back meanwhile makes no work of negative length.
    return Work(f"{socket.gethostname()}:{os.getpid()}", started, max(time.time(), started))


def arithmetic(_: Problems) -> str:
    """The arithmetic digest of the worker's machine."""
    from cooldown.objectives.training.arithmetic import arithmetic_digest

    return arithmetic_digest()


class Compiled(NamedTuple):
    """What compiling took in seconds, and what its process has to say about the cache of compiled kernels."""

    seconds: float
    remarks: tuple[str, ...]


def compile_programs(data: Problems, configs: Sequence[TrainConfig], digest: str) -> Compiled:
    """Compile, or load from disk, everything that these configs need: nothing, for a loop of the user's own.

    digest: the arithmetic digest of the machines that train the experiment. Raises UnfitError on another one.
    """
    from cooldown.objectives.training.engine import train

    if (own := arithmetic(data)) != digest:
        raise UnfitError(
            f"it rounds in another way than the machines that began the experiment (arithmetic {own} instead of "
            f"{digest}), so that results would differ in their last digits"
        )
    started = time.perf_counter()
    with collected(CooldownWarning) as remarks:
        problem = data.problems(Purpose.SEARCH, 0)[0]
        if isinstance(problem.model, Loop):
            return Compiled(0.0, ())
        # Two batches contain all shapes that occur.
        rows = 2 * max((config.batch_size for config in configs), default=1)
        train(replace(problem, train=problem.train[:rows]), configs, [0])
    return Compiled(time.perf_counter() - started, tuple(remarks))
