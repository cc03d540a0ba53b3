"""An executor whose training jobs are handed to the caller, run by run: for training loops that cannot be called."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np

from cooldown.objectives.records import Outcome
from cooldown.objectives.runs import Run
from cooldown.objectives.training.limits import Limits
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.jobs import Trained, train_replicates, work_since
from cooldown.search.executors.packed import Packed
from cooldown.storage import Purpose


class HandedOut(Executor):
    """Training jobs wait until the caller has trained their `runs`; other jobs are done at once, in this process."""

    capacity = 1

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future[Any], Packed[Any], tuple[Any, ...]]] = deque()
        self._others = Inline()

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Keep a training job, or do the job."""
        if call is not train_replicates:
            return self._others.submit(call, packed, *arguments)
        future: Future[Any] = Future()
        self._waiting.append((future, packed, arguments))
        return future

    def close(self) -> None:
        """Forget the waiting jobs."""
        self._waiting.clear()

    def runs(self) -> Iterator[Run]:
        """The runs of the waiting jobs, job by job, config by config and seed by seed. A run is over when the next is
        asked for; with the last of its runs a job is done. Raises InputError for a run without a report.
        """
        while self._waiting:
            future, packed, (purpose, repeat, configs, seeds, limits, _) = self._waiting.popleft()
            problems, every_epoch = packed.value.problems(purpose, repeat), purpose is not Purpose.EVALUATION
            started, curves = time.time(), []
            for place, config in enumerate(configs):
                reported = _ignore if limits is None else _pruning(Limits(limits[place : place + 1]))
                of_config = []
                for problem, seed in zip(problems, seeds, strict=True):
                    run = Run(problem, config, seed, every_epoch, reported)
                    yield run
                    of_config.append(run.curve())
                curves.append(of_config)
            future.set_result(Trained(curves, (work_since(started),)))


def _ignore(_run: Run) -> None:
    """What there is to do after a report, without limits."""


def _pruning(limits: Limits) -> Callable[[Run], None]:
    """Prune the only run of a config as soon as it has exceeded its `limits`; after its last epoch it is complete."""

    def reported(run: Run) -> None:
        epoch = run.epochs_run - 1
        if run.outcome is None and epoch < run.epochs - 1:
            losses = np.array([run.capped_loss(epoch)])
            if limits.exceeded(epoch, losses).any():
                run.outcome = Outcome.PRUNED

    return reported
