"""An executor whose training jobs are handed to the caller, run by run: for training loops that cannot be called."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np

from cooldown.objectives.records import Outcome
from cooldown.objectives.runs import Run
from cooldown.objectives.training.limits import Limits
from cooldown.search.executors.jobs import train_packed, unpacked


class HandedOut(Executor):
    """Training jobs wait until the caller has trained their `runs`; other jobs are done at once, in this process."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future[Any], tuple[Any, ...]]] = deque()

    def submit(self, call: Callable[..., Any], /, *args: Any, **more: Any) -> "Future[Any]":
        """Keep a training job, or do the call."""
        future: Future[Any] = Future()
        if call is train_packed:
            self._waiting.append((future, args))
            return future
        try:
            future.set_result(call(*args, **more))
        except Exception as error:
            future.set_exception(error)
        return future

    def runs(self) -> Iterator[Run]:
        """The runs of the waiting jobs, job by job, config by config and seed by seed. A run is over when the next is
        asked for; with the last of its runs a job is done. Raises InputError for a run without a report.
        """
        while self._waiting:
            future, (packed, configs, seeds, every_epoch, limits) = self._waiting.popleft()
            curves = []
            for place, config in enumerate(configs):
                reported = _ignore if limits is None else _pruning(Limits(limits[place : place + 1]))
                of_config = []
                for problem, seed in zip(unpacked(packed), seeds, strict=True):
                    run = Run(problem, config, seed, every_epoch, reported)
                    yield run
                    of_config.append(run.curve())
                curves.append(of_config)
            future.set_result(curves)


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
