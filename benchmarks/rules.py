"""µs of CPU time per update of one replicate: every rule of the catalog relative to Adam, and the cost of strategies
and of simulated workers.

    python -m benchmarks.rules [--rounds 9]

One core, one thread, float32, digits MLP 64-32-10, batch 32, five replicates together. All rules take turns in rounds,
so that a neighbour on the machine slows down all of them; shown are medians, and medians of the ratios within a round.
Targets: each rule at most 2 times Adam, YellowFin at most 4 times, Muon at most 3 times; workers that share the
parameters at most 1.5 times, workers with copies at most 2 times.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from statistics import median

from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.engine import NETWORKS, engine
from cooldown.objectives import TrainConfig, asynchronous, optimizers, train
from cooldown.objectives.schedules import get as schedule
from cooldown.objectives.schedules import names as schedule_names

REPLICATES, EPOCHS = 5, 30
MOST = {"yellowfin": 4.0, "muon": 3.0}
STRATEGIES: dict[str, dict[str, object]] = {
    "clip_norm": {"clip_norm": 1.0},
    "gradient_noise": {"gradient_noise": 0.01},
    "dropout": {"dropout": 0.2},
    "batch_norm": {"batch_norm": True},
    "weight_decay": {"weight_decay": 0.01},
    "curriculum": {"curriculum": "mixed"},
    "early_stopping": {"early_stopping": EPOCHS},
    "ema": {"averaging": "ema"},
    "swa": {"averaging": "swa"},
    "sam": {"sam": 0.05},
}
WORKERS, COMPUTE = 8, ("constant", "exponential")


def run_of(fields: Mapping[str, object]) -> Callable[[], int]:
    """A whole `train(...)` of Adam with these fields; calling it returns the number of updates, over all replicates."""
    problem = NETWORKS[0].problem()
    config = TrainConfig.from_json({"batch_size": 32, "epochs": EPOCHS, **fields})

    def run() -> int:
        (curves,) = train(problem, [config], range(REPLICATES), every_epoch=False)
        return sum(curve.updates for curve in curves)

    return run


def measured(runs: Mapping[str, Callable[[], int]], rounds: int) -> list[dict[str, float]]:
    """Per round, µs per update of one replicate of each, one after the other."""
    for run in runs.values():
        run()  # compiles, and fills the caches
    results = []
    for _ in range(rounds):
        times = {}
        for name, run in runs.items():
            started = time.process_time()
            updates = run()
            times[name] = 1e6 * (time.process_time() - started) / updates
        results.append(times)
    return results


def table(title: str, rounds: list[dict[str, float]], most: Mapping[str, float]) -> Table:
    """Medians, and medians of the ratios to Adam, with the targets where there are some."""
    shown = Table("", title=title, title_justify="left")
    for heading in ("µs", "of adam", "at most", ""):
        shown.add_column(heading, justify="right")
    for name in rounds[0]:
        ratio = median(times[name] / times["adam"] for times in rounds)
        target = most.get(name)
        verdict = "" if target is None else "met" if ratio <= target else "not met"
        shown.add_row(
            name,
            f"{median(times[name] for times in rounds):.1f}",
            f"{ratio:.2f}",
            "" if target is None else f"{target:g}",
            verdict,
        )
    return shown


def main() -> None:
    """Measure all and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    count = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    console = Console()
    with threadpool_limits(1):
        rules = {name: engine(NETWORKS[0], name, REPLICATES) for name in optimizers.names()}
        most = {name: MOST.get(name, 2.0) for name in rules if name != "adam"}
        console.print(table(f"rules (median of {count} rounds)", measured(rules, count), most))
        constant = {"adam": run_of({})}
        others = {name: run_of({"schedule": name}) for name in schedule_names() if schedule(name).batch is None}
        console.print(table("adam under schedules", measured(constant | others, count), {}))
        strategies = {name: run_of(fields) for name, fields in STRATEGIES.items()}
        console.print(table("adam with strategies", measured(constant | strategies, count), {}))
        workers, most = {}, {}
        for method in asynchronous.names():
            for compute in COMPUTE:
                chosen = {"name": method, "workers": WORKERS, "compute": compute}
                workers[f"{method}, {compute}"] = run_of({"asynchronous": chosen})
                most[f"{method}, {compute}"] = 2.0 if asynchronous.get(method).has_copies else 1.5
        title = f"adam with {WORKERS} simulated workers"
        console.print(table(title, measured(constant | workers, count), most))


if __name__ == "__main__":
    main()
