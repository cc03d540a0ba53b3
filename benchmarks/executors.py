"""What executors cost: `python -m benchmarks.executors [overhead|speedup|cluster]…`, all three without arguments.

overhead: the time that an executor adds to a job which does nothing. speedup: of training jobs by a second worker.
cluster: the coordinator's share of a run on 10, 100 and 1000 simulated workers, which need a job's known time; the
runner, its ledger and the sampler are real, and the clock goes on by what they need. A part of the efficiency is lost
at the end, where the last studies leave workers without a job.
"""

import heapq
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import Curve, Outcome
from cooldown.search.executors import engines
from cooldown.search.executors.contract import Executor
from cooldown.search.executors.jobs import Compiled, Trained, arithmetic, compile_programs, train_replicates
from cooldown.search.executors.packed import Packed
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.tuning.runner import steps
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Purpose

JOBS = 300
"""Of the measurement of the overhead."""

SECONDS = 10.0
"""A job's time on the simulated cluster."""

OUT = Console()


def nothing(_: None) -> None:
    """A job that does nothing."""


def kept_busy(executor: Executor, count: int, job: Callable[[], "Future[Any]"]) -> float:
    """The seconds for so many jobs, of which as many are in flight as the executor takes."""
    began, left, running = time.perf_counter(), count, set[Future[Any]]()
    while left or running:
        while left and len(running) < executor.capacity:
            running.add(job())
            left -= 1
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
    return time.perf_counter() - began


def overhead() -> None:
    """Milliseconds of a job that does nothing: alone, and in a queue that is never empty."""
    table = Table("executor", "alone, median", "alone, p95", "in a queue", title="Milliseconds a job, one worker")
    for name in ("inline", "local", "dask"):
        with engines.get(name).open(1, None) as executor:
            empty = Packed(None, "nothing")
            executor.submit(nothing, empty).result()
            alone = []
            for _ in range(JOBS):
                began = time.perf_counter()
                executor.submit(nothing, empty).result()
                alone.append((time.perf_counter() - began) * 1e3)
            queued = kept_busy(executor, JOBS, lambda: executor.submit(nothing, empty)) / JOBS * 1e3  # noqa: B023
        median, p95 = np.percentile(alone, [50, 95])
        table.add_row(name, f"{median:.1f}", f"{p95:.1f}", f"{queued:.1f}")
    OUT.print(table)


def speedup() -> None:
    """Seconds for training jobs on one and on two workers."""
    spec = read_spec(task="digits", arms=("momentum+cosine", "adam"), epochs=20)
    splits = Splits(task_of(spec), spec)
    config, seeds = TrainConfig(optimizer="adam", epochs=20), splits.seeds(Purpose.SEARCH, 0)
    table = Table("executor", "1 worker", "2 workers", "ratio", title="Seconds for 40 training jobs")
    for name in ("local", "dask"):
        seconds = []
        for workers in (1, 2):
            with engines.get(name).open(workers, None) as executor:

                def job() -> "Future[Any]":
                    return executor.submit(train_replicates, splits.packed, Purpose.SEARCH, 0, [config] * 4, seeds)

                kept_busy(executor, 4 * workers, job)
                seconds.append(kept_busy(executor, 40, job))
        table.add_row(name, *(f"{each:.1f}" for each in seconds), f"{seconds[0] / seconds[1]:.2f}")
    OUT.print(table)


class Simulated(Executor):
    """`workers` workers that each need `SECONDS` for a job and then have made up its curves, by a clock of its own."""

    def __init__(self, workers: int) -> None:
        self._workers, self.now, self.jobs = workers, 0.0, 0
        self._free = [0.0] * workers
        self._running: list[tuple[float, int, Future[Any], tuple[Any, ...]]] = []

    @property
    def capacity(self) -> int:
        """A job for each worker, and one that waits for it."""
        return 2 * self._workers

    def submit(self, call: Callable[..., Any], _packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """A job on the worker that is free first."""
        future: Future[Any] = Future()
        if call is train_replicates:
            ends = max(heapq.heappop(self._free), self.now) + SECONDS
            heapq.heappush(self._free, ends)
            self.jobs += 1
            heapq.heappush(self._running, (ends, self.jobs, future, arguments))
        else:
            future.set_result({arithmetic: "simulated", compile_programs: Compiled(0.0, ())}[call])
        return future

    def wait(self) -> None:
        """Go on to the end of the next job, and end all that are over by then."""
        self.now = max(self.now, self._running[0][0])
        while self._running and self._running[0][0] <= self.now:
            _, _, future, (purpose, repeat, configs, seeds, *_) = heapq.heappop(self._running)
            curves = [[made_up(config, seed, purpose, repeat) for seed in seeds] for config in configs]
            future.set_result(Trained(curves, ()))

    def close(self) -> None:
        """Nothing is left to end."""


def made_up(config: TrainConfig, seed: int, purpose: Purpose, repeat: int) -> Curve:
    """A curve of random numbers."""
    epochs = 1 if purpose is Purpose.EVALUATION else config.epochs
    rng = np.random.default_rng([seed, repeat])
    train_loss, rates = rng.random((2, config.epochs))
    return Curve(
        seed, Outcome.COMPLETED, train_loss, *rng.random((2, epochs)), rates, config.epochs, 2.3, 43_110, 1350, SECONDS
    )


def simulated_run(spec: Experiment, workers: int) -> tuple[Simulated, float]:
    """A run on so many simulated workers, and the seconds that the coordinator was busy."""
    splits, simulated, busy = Splits(task_of(spec), spec), Simulated(workers), 0.0
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        ledger.create("simulated", spec.to_json(), "", planned(spec))
        began = time.perf_counter()
        with ledger.hold("simulated") as writer:
            for _ in steps(writer, ledger.load("simulated"), spec, splits, simulated):
                passed = time.perf_counter() - began
                busy += passed
                simulated.now += passed
                simulated.wait()
                began = time.perf_counter()
    return simulated, busy


def cluster(counts: Sequence[int] = (10, 100, 1000)) -> None:
    """The coordinator's share of a run on so many simulated workers."""
    columns = ("workers", "jobs", "coordinator, ms a job", "share of the time", "efficiency", "workers it can serve")
    table = Table(*columns, title=f"Simulated workers, {SECONDS:.0f} s a job")
    for count in counts:
        spec = read_spec(task="quadratic", arms=("momentum", "adam"), repeats=count, trials=4, finalists=1, epochs=30)
        simulated, busy = simulated_run(spec, count)
        worked = simulated.jobs * SECONDS / count
        table.add_row(
            f"{count:,}",
            f"{simulated.jobs:,}",
            f"{busy / simulated.jobs * 1e3:.1f}",
            f"{busy / simulated.now:.0%}",
            f"{worked / simulated.now:.0%}",
            f"{SECONDS * simulated.jobs / busy:,.0f}",
        )
    OUT.print(table)


def main() -> None:
    """Measure what is asked for, and print it."""
    parts = {"overhead": overhead, "speedup": speedup, "cluster": cluster}
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()
