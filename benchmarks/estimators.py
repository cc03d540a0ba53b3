"""Milliseconds of a `fit`: `ScheduledMLPClassifier` and scikit-learn's `MLPClassifier` with equal settings.

    python -m benchmarks.estimators [--rounds 9]

The digits, features divided by 16, all 1797 rows; Adam with rate 1e-3, batch 32, 30 epochs, no penalty, float32 for
both; one hidden layer of 32, then two of 256. CPU time; one process, one core, one thread for both; the contestants
take turns in rounds, so that a neighbour on the machine slows down both. The times are medians over the rounds, the
ratio the median of the rounds' ratios. Compilation is reported separately: it happens in the first fit on a machine and
is cached on disk.

The losses are cross-entropies on the training rows after the fit, for seeds 0 to 4: initial weights and data order
differ, so that they are equal in distribution only. With `n_seeds=5` five networks are trained together;
MLPClassifier's time for as many is five times that of one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from statistics import mean, median, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from cooldown.objectives.estimators import ScheduledMLPClassifier

BATCH_SIZE, EPOCHS, RATE = 32, 30, 1e-3
SEEDS = range(5)
TARGETS = {(32,): 15.0, (256, 256): 3.0}
"""By hidden layers: MLPClassifier's time is at least this multiple of ours."""


def digits() -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Features (1797, 64) in 0…1 and classes (1797,)."""
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def ours(hidden: tuple[int, ...], seed: int, n_seeds: int = 1) -> ScheduledMLPClassifier:
    """This package's estimator, unfitted."""
    return ScheduledMLPClassifier(
        hidden, learning_rate=RATE, batch_size=BATCH_SIZE, epochs=EPOCHS, n_seeds=n_seeds, random_state=seed
    )


def theirs(hidden: tuple[int, ...], seed: int) -> MLPClassifier:
    """scikit-learn's, unfitted, which does not stop before its last epoch."""
    return MLPClassifier(
        hidden,
        learning_rate_init=RATE,
        batch_size=BATCH_SIZE,
        max_iter=EPOCHS,
        n_iter_no_change=EPOCHS,
        alpha=0,
        random_state=seed,
    )


Make = Callable[[tuple[int, ...], int], Any]

CONTESTANTS: dict[str, Make] = {
    "ScheduledMLPClassifier": ours,
    "ScheduledMLPClassifier, n_seeds=5": lambda hidden, seed: ours(hidden, seed, n_seeds=5),
    "MLPClassifier": theirs,
}


def fitted(make: Make, hidden: tuple[int, ...], seed: int) -> tuple[Any, float]:
    """The fitted estimator and the milliseconds of CPU time that it took."""
    X, y = digits()
    estimator = make(hidden, seed)
    with warnings.catch_warnings(action="ignore"):
        started = time.process_time()
        estimator.fit(X, y)
        return estimator, 1e3 * (time.process_time() - started)


def rounds(hidden: tuple[int, ...], count: int) -> list[dict[str, float]]:
    """Per round the milliseconds of each contestant, one after the other."""
    for make in CONTESTANTS.values():
        fitted(make, hidden, 0)  # compiles, and fills the caches
    return [{name: fitted(make, hidden, seed)[1] for name, make in CONTESTANTS.items()} for seed in range(count)]


def losses(make: Make, hidden: tuple[int, ...]) -> list[float]:
    """Cross-entropy on the training rows, one for each of SEEDS."""
    X, y = digits()
    return [float(log_loss(y, fitted(make, hidden, seed)[0].predict_proba(X))) for seed in SEEDS]


def table(hidden: tuple[int, ...], measured: list[dict[str, float]]) -> Table:
    """Contestants × time, ratio, loss."""
    network = "-".join(str(width) for width in (64, *hidden, 10))
    shown = Table(
        title=f"a fit on the digits, {network}, batch 32, 30 epochs (median of {len(measured)} rounds)",
        title_justify="left",
    )
    for heading in ("", "ms", "speed", "training loss"):
        shown.add_column(heading, justify="right" if heading else "left")
    for name, make in CONTESTANTS.items():
        ratio = median(times["MLPClassifier"] / times[name] for times in measured)
        reached = losses(make, hidden)
        shown.add_row(
            name,
            f"{median(times[name] for times in measured):.1f}",
            f"{ratio:.2f}",
            f"{mean(reached):.5f} ± {stdev(reached):.5f}",
        )
    return shown


FIRST_FIT = """
import time
started = time.perf_counter()
from benchmarks.estimators import digits, ours
imported = time.perf_counter()
ours((32,), 0).fit(*digits())
print(imported - started, time.perf_counter() - imported)
"""


def first_and_second_fit() -> list[tuple[float, float]]:
    """Seconds for imports and for the first fit of a process, with nothing compiled yet and with all of it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", FIRST_FIT]
        outputs = [
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            for _ in range(2)
        ]
    return [(float(imports), float(fit)) for imports, fit in (output.split() for output in outputs)]


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=9)
    count = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    console = Console()
    (imports, first), (_, second) = first_and_second_fit()
    console.print(
        f"imports {imports:.1f} s; the first fit of a process {first:.1f} s where it compiles, "
        f"{second:.2f} s once compiled code is on disk\n"
    )
    with threadpool_limits(1):
        for hidden, target in TARGETS.items():
            measured = rounds(hidden, count)
            console.print(table(hidden, measured))
            ratio = median(times["MLPClassifier"] / times["ScheduledMLPClassifier"] for times in measured)
            met = "met" if ratio >= target else "not met"
            console.print(f"{ratio:.1f} times as fast as MLPClassifier; at least {target:.0f}: {met}\n")


if __name__ == "__main__":
    main()
