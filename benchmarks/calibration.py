"""Calibration of the verdict: experiments of an arm against itself, and planted differences.

Each experiment is the whole procedure on a fast task, with its own seed: search, finalists, fresh seeds, test split,
for one arm under two names. The true difference is 0, so every winner is false. A difference is planted by adding a
constant to one side's test losses, so that the truth is known exactly; its unit is the standard deviation between an
arm's repeats. Both candidates for the interval are measured on the same experiments.

    python -m benchmarks.calibration [--experiments 200] [--repeats 6] [--trials 16] [--epochs 15]
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.statistics.intervals import Interval, mean_interval, welch_interval
from cooldown.search.statistics.verdict import decide, tie_band

CASES = (("iris", "adam+cosine"), ("wine", "momentum"), ("two_moons", "adam"), ("quadratic", "momentum+cosine"))
DEFAULT_REPEATS = 5
PLANTED = (0.5, 1.0, 2.0, 3.0, 4.0)
Losses = NDArray[np.float64]


class Here(Executor):
    """Runs each job at once, in this process."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **more: Any) -> "Future[Any]":
        """The finished job."""
        future: Future[Any] = Future()
        future.set_result(call(*args, **more))
        return future


def spec_of(number: int, repeats: int, trials: int, epochs: int) -> Experiment:
    """The A/A experiment `number`."""
    task, arm = CASES[number % len(CASES)]
    return read_spec(
        task=task,
        arms=(f"first={arm}", f"second={arm}"),
        trials=trials,
        repeats=repeats,
        epochs=epochs,
        seeds=2,
        finalists=3,
        finalist_seeds=3,
        confirm_seeds=5,
        seed=number,
    )


def losses_of(number: int, repeats: int, trials: int, epochs: int) -> Losses:
    """(2, repeats, seeds): the test losses of both names' winners in the A/A experiment `number`."""
    from cooldown.objectives import tasks
    from cooldown.search.tuning.runner import run
    from cooldown.search.tuning.splits import Splits
    from cooldown.storage import Ledger, StudyKey

    spec = spec_of(number, repeats, trials, epochs)
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(f"sqlite:///{Path(folder) / 'calibration.db'}")
        splits = Splits(tasks.get(spec.task), spec)
        ledger.create("aa", spec.to_json(), "", [StudyKey(arm, r) for arm in spec.arms for r in range(repeats)])
        run(ledger, "aa", spec, splits, Here, queue=1)
        studies = {(study.arm, study.repeat): study for study in ledger.load("aa").studies}
    return np.array(
        [[[curve.final_loss for curve in studies[arm, r].evaluations] for r in range(repeats)] for arm in spec.arms]
    )


def paired(a: Losses, b: Losses) -> Interval:
    """The paired interval of repeat-level means."""
    return mean_interval(a.mean(axis=1) - b.mean(axis=1))


def unpaired(a: Losses, b: Losses) -> Interval:
    """Welch's interval of repeat-level means."""
    return welch_interval(a.mean(axis=1), b.mean(axis=1))


INTERVALS = {"paired t": paired, "Welch": unpaired}


def winner(interval: Interval, band: float) -> bool:
    """Whether the verdict calls one side better."""
    return decide(interval, band) in ("a_better", "b_better")


def proportion(flags: Sequence[bool]) -> str:
    """A share with its 95 % binomial interval (Clopper & Pearson)."""
    from scipy.stats import binomtest

    exact = binomtest(sum(flags), len(flags)).proportion_ci()
    return f"{sum(flags) / len(flags):.1%} [{exact.low:.1%}, {exact.high:.1%}]"


def spread(number: int, everything: Sequence[Losses]) -> float:
    """The standard deviation between repeats of an arm's test loss, pooled over all experiments of the same case."""
    alike = [losses for i, losses in enumerate(everything) if i % len(CASES) == number % len(CASES)]
    return float(np.sqrt(np.mean([losses.mean(axis=2).var(axis=1, ddof=1) for losses in alike])))


def main() -> None:
    """Run the experiments and print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    one = partial(losses_of, repeats=arguments.repeats, trials=arguments.trials, epochs=arguments.epochs)
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool:
        # The first one alone: it compiles.
        everything = [one(0)]
        everything += pool.map(one, range(1, arguments.experiments), chunksize=4)
    console = Console()
    n = min(DEFAULT_REPEATS, arguments.repeats)
    first = [losses[:, :n] for losses in everything]
    bands = [tie_band(a, b) for a, b in first]
    table = Table("interval", "false winners", "without a band", "coverage of 95 %", "median half width", box=None)
    for name, method in INTERVALS.items():
        intervals = [method(a, b) for a, b in first]
        widths = [(interval.high - interval.low) / 2 / spread(i, everything) for i, interval in enumerate(intervals)]
        table.add_row(
            name,
            proportion([winner(interval, band) for interval, band in zip(intervals, bands, strict=True)]),
            proportion([winner(interval, 0.0) for interval in intervals]),
            proportion([interval.low <= 0 <= interval.high for interval in intervals]),
            f"{np.median(widths):.2f}",
        )
    console.print(
        f"{arguments.experiments} A/A experiments, {n} repeats; widths in standard deviations between repeats"
    )
    console.print(table)
    table = Table("case", "median spread", "coverage, paired t", "coverage, Welch", box=None)
    for case, (task, arm) in enumerate(CASES):
        of_case = [losses for i, losses in enumerate(first) if i % len(CASES) == case]
        covered = [
            proportion([interval.low <= 0 <= interval.high for interval in (method(a, b) for a, b in of_case)])
            for method in INTERVALS.values()
        ]
        table.add_row(
            f"{task}, {arm}", f"{np.median([f.mean(axis=2).std(axis=1, ddof=1) for f in of_case]):.4f}", *covered
        )
    console.print(table)
    for name, method in INTERVALS.items():
        table = Table("repeats", *(f"{size:g} sd" for size in PLANTED), box=None)
        for repeats in range(2, arguments.repeats + 1):
            row = []
            for size in PLANTED:
                detected = []
                for i, (a, b) in enumerate(everything):
                    a, b = a[:repeats] + size * spread(i, everything), b[:repeats]
                    detected.append(decide(method(a, b), tie_band(a, b)) == "b_better")
                row.append(f"{np.mean(detected):.0%}")
            table.add_row(str(repeats), *row)
        console.print(f"\nplanted differences detected, {name}")
        console.print(table)


if __name__ == "__main__":
    main()
