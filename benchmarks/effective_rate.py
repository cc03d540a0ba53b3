"""Whether momentum's rate is better searched as η/(1 − μ), the step that it makes in the long run, than as η.

Two searches per repeat of `momentum+cosine` on six tasks: η in its own range, and η/(1 − μ) in [0.02, 20], both with μ
in its own range. What counts: the share of runs in the search that diverge or end at the cap, and the winners' test
loss.

    python -m benchmarks.effective_rate [--repeats 20] [--processes 2]
"""

import argparse
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown.objectives.config import TrainConfig
from cooldown.search.executors.engines.inline import Inline
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.space import Space

TASKS = ("wine", "iris", "breast_cancer", "two_moons", "digits", "diabetes")
ARM = "momentum+cosine"
RANGE = (0.02, 20.0)


def measured(case: tuple[str, bool], repeats: int) -> tuple[float, float, list[float]]:
    """Shares of the search's runs that diverged and that ended at the cap, and the winners' test losses by repeat."""
    from cooldown.objectives import Outcome, tasks
    from cooldown.search.tuning.runner import run
    from cooldown.search.tuning.splits import Splits
    from cooldown.storage import Ledger, Purpose, StudyKey

    task, effective = case
    ranges = {"momentum.learning_rate": RANGE} if effective else {}
    spec = read_spec(task=task, arms=(ARM,), repeats=repeats, ranges=ranges)
    config = Space.config

    def of_effective(space: Space, chosen: Mapping[str, Any]) -> TrainConfig:
        both = dict(chosen)
        if "momentum.learning_rate" in both and "momentum.momentum" in both:
            both["momentum.learning_rate"] *= 1 - both["momentum.momentum"]
        return config(space, both)

    with tempfile.TemporaryDirectory() as folder, patch.object(Space, "config", of_effective if effective else config):
        ledger = Ledger(f"sqlite:///{Path(folder) / 'rate.db'}")
        ledger.create("it", spec.to_json(), "", [StudyKey(ARM, r) for r in range(repeats)])
        run(ledger, "it", spec, Splits(tasks.get(task), spec), Inline())
        record = ledger.load("it")
    searched = [curve for study in record.studies for curve in study.curves(Purpose.SEARCH)]
    diverged = float(np.mean([curve.outcome is Outcome.DIVERGED for curve in searched]))
    capped = float(np.mean([curve.capped for curve in searched]))
    losses = [float(np.mean([curve.final_loss for curve in study.evaluations])) for study in record.studies]
    return diverged, capped, losses


def main() -> None:
    """Run both searches on every task, and print the table."""
    from cooldown.search.statistics.intervals import mean_interval

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    cases = list(product(TASKS, (False, True)))
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        found = dict(zip(cases, pool.map(partial(measured, repeats=arguments.repeats), cases), strict=True))
    table = Table("task", "diverged", "at the cap", "test loss, η/(1 − μ) over η [95 % interval]", box=None)
    for task in TASKS:
        (own_diverged, own_capped, own), (diverged, capped, losses) = found[task, False], found[task, True]
        ratio = mean_interval(np.log(losses) - np.log(own))
        table.add_row(
            task,
            f"{own_diverged:.0%} → {diverged:.0%}",
            f"{own_capped:.0%} → {capped:.0%}",
            f"{np.exp(ratio.estimate):.2f} [{np.exp(ratio.low):.2f}, {np.exp(ratio.high):.2f}]",
        )
    console = Console(width=120)
    console.print(f"{ARM}, {arguments.repeats} repeats; from the search of η to that of η/(1 − μ)")
    console.print(table)


if __name__ == "__main__":
    main()
