"""Jobs for the tests of executors, which workers import, and the value that they share."""

import mmap
import os
import time
from pathlib import Path
from typing import Any

import numpy as np


class Shared:
    """A value that says in a folder where it is pickled and unpickled.

    table: (rows, 50) numbers, large enough to travel beside the pickle.
    """

    def __init__(self, folder: Path, rows: int = 1000) -> None:
        self.folder, self.table = folder, np.arange(50.0 * rows).reshape(rows, 50)

    def __reduce__(self) -> Any:
        note(self.folder / "pickled")
        return _unpickled, (self.folder, self.table)


def _unpickled(folder: Path, table: Any) -> Shared:
    note(folder / "unpickled")
    shared = Shared.__new__(Shared)
    shared.folder, shared.table = folder, table
    return shared


def note(path: Path) -> None:
    """Add this process to a list."""
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")


def noted(path: Path) -> list[int]:
    """The processes in a list."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def total(shared: Shared, factor: float, more: float = 0.0) -> float:
    return float(shared.table.sum() * factor + more)


def process(_: Shared) -> int:
    return os.getpid()


def is_mapped(shared: Shared) -> bool:
    """Whether the table is in the memory of a file, and not a copy of the process's own."""
    base: Any = shared.table
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(getattr(base, "obj", base), mmap.mmap)


def slow(shared: Shared, seconds: float) -> int:
    note(shared.folder / "slow")
    time.sleep(seconds)
    return os.getpid()


def held(shared: Shared, name: str) -> str:
    """Says that it runs, and stands still while there is a file to hold it."""
    note(shared.folder / f"{name} runs")
    while (shared.folder / f"hold {name}").exists():
        time.sleep(0.01)
    return name


def dies(shared: Shared) -> None:
    os._exit(3)


class UnpicklableError(Exception):
    def __init__(self, a: str, b: str) -> None:
        super().__init__(f"{a} and {b}")


def raises(_: Shared, kind: str) -> None:
    if kind == "exit":
        raise SystemExit(5)
    if kind == "unpicklable":
        raise UnpicklableError("bad", "worse")
    raise ValueError(kind)


def unpicklable_result(_: Shared) -> Any:
    return (number for number in range(3))


def broken_where_told(_: Shared) -> int:
    """The worker's process; it raises in those whose environment says so."""
    if "TEST_BROKEN" in os.environ:
        raise RuntimeError("this machine is broken")
    return os.getpid()
