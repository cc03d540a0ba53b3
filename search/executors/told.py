"""An executor for training jobs whose runs others train, now or later, anywhere: what they have told completes a job.

A run is named by a hash of its replicate. Equal runs of two jobs are one run: the same config, seed and rows.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve
from cooldown.objectives.runs import Run
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.executors.jobs import Trained, train_replicates
from cooldown.search.executors.packed import Packed
from cooldown.storage import Purpose, Work
from cooldown.storage.asked_runs import AskedRun, NewRun, Report

CALLERS = "callers"
"""The worker of such runs: which caller trained one is not known."""


class Told(Executor):
    """Training jobs are done whose runs are all told; those of the others are `waiting`. Other jobs are done at once,
    in this process. runs: what is known of runs, by their names.
    """

    capacity = 16
    # Its callers train single runs: with parts, a job would only be looked up more often.
    workers = 1

    def __init__(self, runs: Callable[[Set[str]], Mapping[str, AskedRun]]) -> None:
        self._runs, self._others = runs, Inline()
        self.waiting: list[NewRun] = []
        self._done = 0

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """The finished job, or one that waits."""
        if call is not train_replicates:
            return self._others.submit(call, packed, *arguments)
        future: Future[Any] = Future()
        purpose, repeat, configs, seeds, _, first = arguments
        replicates = [[_replicate(purpose, repeat, config, seed) for seed in seeds] for config in configs]
        names = [[name_of(each) for each in of_config] for of_config in replicates]
        known = self._runs({name for of_config in names for name in of_config})
        told = [[known.get(name) for name in of_config] for of_config in names]
        if all(run is not None and run.reports is not None for of_config in told for run in of_config):
            problems = packed.value.problems(purpose, repeat)[first : first + len(seeds)]
            curves = [list(self._curves(problems, of_config)) for of_config in told]
            future.set_result(Trained(curves, (_work([run for of_config in told for run in of_config]),)))
            self._done += 1
        else:
            job = name_of(names)
            self.waiting += [NewRun(name_of(each), job, each) for of_config in replicates for each in of_config]
        return future

    def goes_on(self) -> bool:
        """Whether a job was done since this was asked last."""
        done, self._done = self._done, 0
        return done > 0

    def close(self) -> None:
        """Nothing is left to end."""

    def _curves(self, problems: Sequence[Problem], runs: Sequence[Any]) -> Iterator[Curve]:
        for problem, run in zip(problems, runs, strict=True):
            yield replace(replayed(problem, run.replicate, run.reports), seconds=run.told_at - run.asked_at)


def _work(runs: Sequence[Any]) -> Work:
    """What callers have done of a job, all of its runs together."""
    started = min(run.asked_at for run in runs)
    return Work(CALLERS, started, max(started, *(run.told_at for run in runs)))


def replayed(problem: Problem, replicate: Mapping[str, Any], reports: Sequence[Report]) -> Curve:
    """The curve of a run from what was told of its epochs; raises InputError for what cannot be."""
    run = run_of(problem, replicate)
    for epoch, report in enumerate(reports):
        numbers = {name: float("nan") if value is None else value for name, value in report.items()}
        run.report(epoch, **numbers)
    return run.curve()


def run_of(problem: Problem, replicate: Mapping[str, Any]) -> Run:
    """The run of a replicate, before its first epoch."""
    config, every_epoch = TrainConfig.from_json(replicate["config"]), replicate["purpose"] != Purpose.EVALUATION.value
    return Run(problem, config, replicate["seed"], every_epoch)


def name_of(value: Any) -> str:
    """A hash of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def _replicate(purpose: Purpose, repeat: int, config: TrainConfig, seed: int) -> dict[str, Any]:
    return {"purpose": purpose.value, "repeat": repeat, "seed": int(seed), "config": config.to_json()}
