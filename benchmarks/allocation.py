"""How to divide the runs of an experiment: which division gives the narrowest interval for the same cost.

Two arms are compared on six tasks under several divisions of the runs of a repeat into trials × seeds, finalists ×
seeds and evaluation seeds. The width of an interval after a given cost is proportional to the standard deviation of x
(the logarithm of the ratio of the two arms' losses) between repeats, times the root of the cost of a repeat. The table
has this product relative to that of the first division, below 1 for narrower, and the arms' mean test loss likewise,
because a search that is too short compares arms that are not tuned.

    python -m benchmarks.allocation [--repeats 20] [--processes 2]
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from cooldown.search.executors.engines.inline import Inline
from cooldown.search.spec.experiment import read_spec

TASKS = ("wine", "iris", "breast_cancer", "two_moons", "digits", "diabetes")
ARMS = ("momentum+cosine", "adam+cosine")
# trials, seeds, finalists, finalist seeds, evaluation seeds
DIVISIONS = (
    (24, 3, 6, 10, 10),
    (24, 3, 4, 4, 5),
    (16, 3, 4, 4, 5),
    (24, 2, 4, 4, 5),
    (16, 2, 4, 6, 5),
    (12, 3, 3, 4, 5),
    (24, 1, 6, 4, 5),
    (16, 3, 4, 4, 3),
)


def measured(case: tuple[str, tuple[int, ...]], repeats: int) -> tuple[float, float, float, float]:
    """Standard deviation of x, gradient evaluations of a repeat, mean log loss of both arms, mean of x."""
    from cooldown.objectives import tasks
    from cooldown.search.tuning.runner import run
    from cooldown.search.tuning.splits import Splits
    from cooldown.storage import Ledger, StudyKey

    task, (trials, seeds, finalists, finalist_seeds, confirm_seeds) = case
    spec = read_spec(
        task=task,
        arms=ARMS,
        repeats=repeats,
        trials=trials,
        seeds=seeds,
        finalists=finalists,
        finalist_seeds=finalist_seeds,
        confirm_seeds=confirm_seeds,
    )
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'allocation.db'}")
        ledger.create("it", spec.to_json(), "", [StudyKey(arm, r) for arm in ARMS for r in range(repeats)])
        run(ledger, "it", spec, Splits(tasks.get(task), spec), Inline())
        record = ledger.load("it")
    losses = np.array(
        [[np.mean([c.final_loss for c in study.evaluations]) for study in record.of(arm)] for arm in ARMS]
    )
    cost = sum(curve.gradient_evaluations for study in record.studies for curve in study.curves())
    x = np.log(losses[0]) - np.log(losses[1])
    return float(x.std(ddof=1)), cost / repeats, float(np.log(losses).mean()), float(x.mean())


def main() -> None:
    """Run every division on every task, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    cases = list(product(TASKS, DIVISIONS))
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        found = dict(zip(cases, pool.map(partial(measured, repeats=arguments.repeats), cases), strict=True))
    console = Console(width=160)
    widths = Table("trials×seeds, finalists×seeds, evaluation", *TASKS, "geometric mean", box=None)
    losses = Table("the same", *TASKS, "geometric mean", box=None)
    spreads = Table("the same", *TASKS, box=None)
    for division in DIVISIONS:
        trials, seeds, finalists, finalist_seeds, confirm_seeds = division
        title = f"{trials}×{seeds}, {finalists}×{finalist_seeds}, {confirm_seeds}"
        width, loss = [], []
        for task in TASKS:
            sd, cost, mean, _ = found[task, division]
            sd_first, cost_first, mean_first, _ = found[task, DIVISIONS[0]]
            width.append(sd / sd_first * np.sqrt(cost / cost_first))
            loss.append(np.exp(mean - mean_first))
        for table, values in ((widths, width), (losses, loss)):
            table.add_row(title, *(f"{each:.2f}" for each in (*values, np.exp(np.log(values).mean()))))
        spreads.add_row(title, *(f"{found[t, division][3]:+.2f} ± {found[t, division][0]:.2f}" for t in TASKS))
    console.print(f"width of the interval for the same cost, relative to the first ({arguments.repeats} repeats)")
    console.print(widths)
    console.print("\nmean test loss of the two arms, relative to the first")
    console.print(losses)
    console.print("\nmean and standard deviation of x")
    console.print(spreads)


if __name__ == "__main__":
    main()
