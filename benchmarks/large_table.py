"""What a table of 200,000 × 50 numbers costs in memory: `python -m benchmarks.large_table`.

The coordinator's peak is beyond that of an experiment on a small table, and includes the caller's own array. A worker's
is what it has for itself, at most, and what of its memory it shares with others: the table, and the libraries.
"""

import resource
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from cooldown import compare, tasks

ROWS, COLUMNS = 200_000, 50
SETTINGS = {
    "arms": ["momentum", "adam"],
    "trials": 2,
    "repeats": 1,
    "epochs": 1,
    "seeds": 2,
    "finalists": 1,
    "finalist_seeds": 1,
    "confirm_seeds": 2,
    "generation": 2,
    "batch_size": 512,
    "workers": 2,
}
MIB = 2**20


def peak() -> float:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def watched(own: dict[int, float], shared: dict[int, float]) -> Iterator[None]:
    """Note the most memory of each child process in MiB, every fifth of a second."""
    end = threading.Event()

    def watch() -> None:
        while not end.wait(0.2):
            for child in psutil.Process().children(recursive=True):
                try:
                    memory = child.memory_full_info()
                except psutil.Error:
                    continue
                own[child.pid] = max(own.get(child.pid, 0.0), memory.uss / MIB)
                shared[child.pid] = max(shared.get(child.pid, 0.0), (memory.rss - memory.uss) / MIB)

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    end.set()
    thread.join()


def main() -> None:
    """Measure and print."""
    rng, own, shared = np.random.default_rng(0), dict[int, float](), dict[int, float]()
    small = rng.normal(size=(400, COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        compare(tasks.from_arrays(small, small[:, 0] > 0, name="small"), db=f"{folder}/l.db", **SETTINGS)
        before = peak()
        X = rng.normal(size=(ROWS, COLUMNS))
        task = tasks.from_arrays(X, X[:, 0] > 0, name="large")
        with watched(own, shared):
            compare(task, db=f"{folder}/l.db", **SETTINGS)
        coordinator = peak() - before
    size = X.nbytes / MIB
    table = Table("", "MiB", "of the table", title=f"{ROWS:,} × {COLUMNS} numbers, two workers")
    table.add_row("table", f"{size:.0f}", "1.00")
    table.add_row("coordinator, with the caller's array", f"{coordinator:.0f}", f"{coordinator / size:.2f}")
    table.add_row("coordinator, beside it", f"{coordinator - size:.0f}", f"{coordinator / size - 1:.2f}")
    # The others are trackers of resources.
    for pid in sorted(own, key=lambda pid: own[pid])[-2:]:
        table.add_row("worker, of its own", f"{own[pid]:.0f}", f"{own[pid] / size:.2f}")
        table.add_row("worker, shared", f"{shared[pid]:.0f}", f"{shared[pid] / size:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
