"""How long workers wait for jobs in a real run: `python -m benchmarks.waiting [--workers N]`.

Many studies: `compare digits` of two arms on 2 workers. The time by the clock of a machine with other work says little
about two cores, so this counts what a run would lose on a quiet one: the gaps between the jobs of each worker, and the
coordinator's processor time against that of the workers, who would take half of theirs by the clock. Few studies: one
arm and one repeat on N workers (4), with their jobs in parts; its trials must be those of one worker.
"""

import argparse
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from cooldown.search.evidence.view import View
from cooldown.search.executors.contract import Executor, completed
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.executors.jobs import train_replicates
from cooldown.search.executors.packed import Packed
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.tuning.runner import run
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger


class Done(NamedTuple):
    """A job as its worker saw it. began, ended: by the machine's clock. cpu: processor seconds. trains: whether it was
    one of training. result: what it returned.
    """

    worker: int
    began: float
    ended: float
    cpu: float
    trains: bool
    result: Any


def watched(value: Any, call: Callable[..., Any], *arguments: Any) -> Done:
    """The job, and when it was done."""
    began, cpu = time.monotonic(), time.process_time()
    result = call(value, *arguments)
    cpu = time.process_time() - cpu
    return Done(os.getpid(), began, time.monotonic(), cpu, call is train_replicates, result)


class Watched(Executor):
    """Processes of this machine, whose jobs are written down in `done`."""

    def __init__(self, workers: int) -> None:
        self._inner, self.done = LocalProcesses(workers), list[Done]()

    @property
    def capacity(self) -> int:
        """As the processes have."""
        return self._inner.capacity

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> "Future[Any]":
        """Do the job, and write it down."""
        outer: Future[Any] = Future()

        def noted(inner: "Future[Done]") -> Any:
            found = inner.result()
            self.done.append(found._replace(result=None))
            return found.result

        inner = self._inner.submit(watched, packed, call, *arguments)
        inner.add_done_callback(lambda inner: completed(outer, lambda: noted(inner)))
        return outer

    def close(self) -> None:
        """End the processes."""
        self._inner.close()


def measured(spec: Experiment, workers: int) -> tuple[ExperimentRecord, list[Done], float]:
    """A run's record, its jobs from the first one of training on, and the coordinator's processor seconds then."""
    splits = Splits(task_of(spec), spec)
    with tempfile.TemporaryDirectory() as folder, Watched(workers) as executor:
        ledger = Ledger(f"sqlite:///{folder}/ledger.db")
        ledger.create("run", spec.to_json(), "", planned(spec))
        started = 0.0

        def report(progress: Any) -> None:
            nonlocal started
            if progress.compile_seconds is not None and not started:
                started = cpu_here()

        with ledger.hold("run") as writer:
            run(writer, ledger.load("run"), spec, splits, executor, report=report)
        taken = cpu_here() - started
        first = min(job.began for job in executor.done if job.trains)
        return ledger.load("run"), [job for job in executor.done if job.began >= first], taken


def cpu_here() -> float:
    """Processor seconds of this process, threads included."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def by_worker(done: list[Done]) -> dict[int, list[Done]]:
    """The jobs of each worker in their order."""
    found = defaultdict(list)
    for job in sorted(done, key=lambda job: job.began):
        found[job.worker].append(job)
    return found


def many(console: Console) -> None:
    """Two workers on ten times more studies."""
    spec = read_spec(task="digits", arms=("momentum+cosine", "adam+cosine"), repeats=3, epochs=20, trials=8)
    table = Table(
        "workers", "jobs", "at work, s", "waited between jobs", "coordinator, of a core", title="Many studies"
    )
    for workers in (1, 2):
        _, done, coordinator = measured(spec, workers)
        jobs = by_worker(done)
        busy = sum(job.ended - job.began for job in done)
        waited = sum(after.began - before.ended for of_one in jobs.values() for before, after in pairwise(of_one))
        by_clock = sum(job.cpu for job in done) / workers
        table.add_row(
            str(workers),
            str(len(done)),
            f"{busy:.1f}",
            f"{waited / (busy + waited):.1%}",
            f"{coordinator / by_clock:.1%}",
        )
    console.print(table)


def few(console: Console, workers: int) -> None:
    """Many workers on one study and its default config."""
    spec = read_spec(task="digits", arms=("adam+cosine",), repeats=1, epochs=20, trials=8)
    table = Table("workers", "jobs and parts", "workers that trained", "most of the work by one", title="One study")
    prints = []
    for count in (1, workers):
        record, jobs, _ = measured(spec, count)
        done = [job for job in jobs if job.trains]
        shares = [sum(job.cpu for job in of_one) for of_one in by_worker(done).values()]
        table.add_row(str(count), str(len(done)), str(len(shares)), f"{max(shares) / sum(shares):.0%}")
        prints.append(View(record).fingerprint)
    console.print(table)
    console.print(f"The trials are {'the same' if prints[0] == prints[1] else 'NOT the same'}.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    workers, console = parser.parse_args().workers, Console(width=120)
    many(console)
    few(console, workers)
    console.print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
