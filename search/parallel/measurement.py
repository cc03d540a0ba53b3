"""The measurement of a parallel system beside plain SGD: in rounds, as a document, and as a table."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from math import isfinite
from statistics import fmean, median
from typing import Any

import psutil

from cooldown.objectives.errors import InputError
from cooldown.objectives.parallel.descent import Descent, Trained
from cooldown.objectives.parallel.hogwild import MODES, hogwild
from cooldown.objectives.parallel.rows import Rows
from cooldown.objectives.parallel.sparsity import sparsity
from cooldown.objectives.parallel.worker import Exchange
from cooldown.search.executors.opening import engine_of
from cooldown.search.executors.packed import Packed
from cooldown.search.parallel.cluster import connected, on_cluster
from cooldown.search.parallel.processes import on_processes, processes
from cooldown.storage.environment import environment

SYSTEMS = ("hogwild", "downpour", "easgd")

Train = Callable[[], Trained]


@dataclass(frozen=True)
class Run:
    """One system with so many workers. seconds, busiest: medians over the rounds, as in `Trained`. loss: the mean of
    the final losses of all rows.
    """

    system: str
    workers: int
    seconds: float
    busiest: float
    loss: float


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured: `serial` is plain SGD in one thread. load: processes that wanted a core in the minute before,
    in the mean, as the system tells it; speed-ups need free cores.
    """

    data: str
    rows: Rows
    settings: Mapping[str, Any]
    serial: Run
    runs: Sequence[Run]
    load: float

    def document(self) -> dict[str, Any]:
        """The measurement as one JSON document. The loss of a run that diverged is None."""
        rows = self.rows
        return {
            "data": {
                "name": self.data,
                "rows": len(rows),
                "features": rows.features,
                "classes": rows.classes,
                "filled": rows.filled,
                **asdict(sparsity(rows)),
            },
            "settings": dict(self.settings),
            "serial": self._run(self.serial),
            "runs": [self._run(run) for run in self.runs],
            "load": self.load,
            "environment": environment(),
        }

    def _run(self, run: Run) -> dict[str, Any]:
        return {
            **asdict(run),
            "loss": run.loss if isfinite(run.loss) else None,
            "gradients_per_second": _ratio(len(self.rows) * self.settings["passes"], run.seconds),
            "speed_up": _ratio(self.serial.seconds, run.seconds),
            "speed_up_of_cores": _ratio(self.serial.busiest, run.busiest),
            "loss_ratio": _ratio(run.loss, self.serial.loss),
        }


def _ratio(number: float, other: float) -> float | None:
    """None where there is none: after a divergence, and where a clock is too coarse for a run."""
    return number / other if other and isfinite(number) and isfinite(other) else None


def of_threads(data: str, rows: Rows, descent: Descent, threads: Sequence[int], rounds: int) -> Measurement:
    """Hogwild! with so many threads, each number also with a lock and by turns."""
    trained: dict[tuple[str, int], Train] = {("serial", 1): partial(hogwild, rows, descent, 1)}
    for mode in MODES:
        trained |= {(mode, number): partial(hogwild, rows, descent, number, mode) for number in threads}
    return _measured(data, rows, descent, {"rounds": rounds}, trained)


def of_server(
    data: str, rows: Rows, descent: Descent, exchange: Exchange, workers: Sequence[int], executor: str, rounds: int
) -> Measurement:
    """A parameter server with so many workers. executor: local, dask, or the address of a Dask scheduler.

    Raises InputError for another executor, and for fewer workers than asked for; JobError and WorkerLostError if one
    fails.
    """
    engine, address = engine_of(executor)
    if engine.name not in ("local", "dask"):
        raise InputError(f"executor {executor!r}: workers of a parameter server need local, dask, or a Dask scheduler")
    settings = {**asdict(exchange), "executor": executor, "rounds": rounds}
    with ExitStack() as stack:
        train: Callable[[int], Trained]
        if engine.name == "dask":
            connection = stack.enter_context(connected(address, max(workers)))
            train = partial(on_cluster, rows, exchange, descent, connection)
        else:
            opened = stack.enter_context(processes(max(workers)))
            train = partial(on_processes, Packed(rows, "the rows"), exchange, descent, opened)
        trained: dict[tuple[str, int], Train] = {("serial", 1): partial(hogwild, rows, descent, 1)}
        trained |= {(exchange.rule, number): partial(train, number) for number in workers}
        return _measured(data, rows, descent, settings, trained)


def _measured(
    data: str, rows: Rows, descent: Descent, settings: dict[str, Any], trained: Mapping[tuple[str, int], Train]
) -> Measurement:
    """All systems take turns, so that a neighbour on the machine slows down all of them."""
    load = psutil.getloadavg()[0]
    results: dict[tuple[str, int], list[Trained]] = {key: [] for key in trained}
    for _ in range(settings["rounds"]):
        for key, train in trained.items():
            results[key].append(train())
    serial, *runs = (
        Run(
            *key,
            median(each.seconds for each in of_key),
            median(each.busiest for each in of_key),
            fmean(rows.loss(each.theta) for each in of_key),
        )
        for key, of_key in results.items()
    )
    return Measurement(data, rows, {**asdict(descent), **settings}, serial, runs, load)
