"""CPU seconds of an epoch on a table of 100,000 × 50, beside PyTorch, and the memory that training takes.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python -m benchmarks.large_training [--rounds 3]

A network of two hidden layers of 256 units and ten classes, Adam, float32, one thread: one epoch over 80,000 rows and
one evaluation of the others, per network; a network alone, four together, and PyTorch's eager mode. The contestants
take turns in rounds; times are medians, ratios medians of those within a round. Memory is the peak beyond that of a run
on a small table in the same process, as a multiple of the table (in float64, as a task holds it) and the parameters.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.engine import kernel_of_products
from cooldown.objectives import Problem, TrainConfig, train
from cooldown.objectives.models.mlp import MLP

ROWS, COLUMNS, HIDDEN, CLASSES = 100_000, 50, (256, 256), 10
BATCHES, TOGETHER = (256, 1024, 4096), 4
MIB = 2**20


def problem(rows: int) -> Problem:
    """Random rows: what they hold makes no difference to the time."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, COLUMNS)), rng.integers(0, CLASSES, rows)
    trained = rows * 4 // 5
    model = MLP(X, y, HIDDEN, CLASSES, "cross_entropy")
    return Problem(model, np.arange(trained), np.arange(trained, rows), np.log(CLASSES))


def ours(table: Problem, batch: int, networks: int) -> Callable[[], int]:
    """An epoch of so many networks; calling it returns their number."""
    config = TrainConfig.from_json({"optimizer": "adam", "batch_size": batch, "epochs": 1})

    def run() -> int:
        return len(train(table, [config], range(networks))[0])

    return run


def pytorch(table: Problem, batch: int) -> Callable[[], int]:
    """An epoch of one network in eager mode."""
    import torch

    torch.set_num_threads(1)
    assert isinstance(table.model, MLP)
    X, y = torch.tensor(table.model.X, dtype=torch.float32), torch.tensor(table.model.y)
    relu, linear, widths = torch.nn.ReLU, torch.nn.Linear, (COLUMNS, *HIDDEN, CLASSES)
    first, second, last = (linear(inputs, outputs) for inputs, outputs in pairwise(widths))
    network = torch.nn.Sequential(first, relu(), second, relu(), last)
    optimizer, order = torch.optim.Adam(network.parameters()), np.random.default_rng(1)

    def run() -> int:
        for rows in torch.from_numpy(order.permutation(table.train)).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(X[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            torch.nn.functional.cross_entropy(network(X[table.held_out]), y[table.held_out])
        return 1

    return run


def times(table: Problem, batch: int, rounds: int) -> Table:
    """CPU seconds per epoch and network, and their ratios to PyTorch's."""
    runs = {"alone": ours(table, batch, 1), f"{TOGETHER} together": ours(table, batch, TOGETHER)}
    runs["PyTorch"] = pytorch(table, batch)
    measured: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            started = time.process_time()
            networks = run()
            # The first turn compiles.
            if turn:
                measured[name].append((time.process_time() - started) / networks)
    shown = Table("", "CPU s", "of PyTorch", title=f"batch {batch}", title_justify="left")
    for name, seconds in measured.items():
        ratio = median(one / other for one, other in zip(seconds, measured["PyTorch"], strict=True))
        shown.add_row(name, f"{median(seconds):.3f}", f"{ratio:.2f}")
    return shown


def peak() -> float:
    """The most memory that this program has had, in MiB; `ru_maxrss` is also that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def print_memory(networks: int, batch: int) -> None:
    """Print MiB beyond a small run, and as a multiple of table and parameters."""
    ours(problem(3000), batch, networks)()
    before, table = peak(), problem(ROWS)
    ours(table, batch, networks)()
    assert isinstance(table.model, MLP)
    held = (table.model.X.nbytes + 4 * table.model.size * networks) / MIB
    print(f"{networks} networks, batch {batch}: {peak() - before:.0f} MiB, {(peak() - before) / held:.2f} times")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, nargs=2, metavar=("NETWORKS", "BATCH"), help="print the memory alone")
    arguments = parser.parse_args()
    if arguments.memory:
        print_memory(*arguments.memory)
        return
    console, table = Console(), problem(ROWS)
    console.print(kernel_of_products())
    with threadpool_limits(1):
        for batch in BATCHES:
            console.print(times(table, batch, arguments.rounds))
    # Each in a process of its own, because a peak stays.
    for networks, batch in ((1, 256), (12, 256), (12, 4096)):
        subprocess.run([sys.executable, "-m", __spec__.name, "--memory", str(networks), str(batch)], check=True)


if __name__ == "__main__":
    main()
