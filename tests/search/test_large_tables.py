"""What a large table costs its coordinator: no copy of it, whatever an experiment needs to know of it."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from search_runs import TINY

from cooldown import tasks
from cooldown.search.executors.packed import Stored, store
from cooldown.search.experiments.preparing import opened, prepared
from cooldown.search.spec.experiment import read_spec
from cooldown.search.tuning.splits import EXAMPLE_ROWS, Splits, task_of
from cooldown.storage import Purpose

SETTINGS = {key: value for key, value in TINY.items() if key != "task"}


def test_it_is_prepared_and_sent_without_a_copy(url: str, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20 * EXAMPLE_ROWS, 30))
    task = tasks.from_arrays(X, X[:, 0] > 0, name="large")
    # What is imported and compiled is no part of it.
    sent(tasks.get("iris"), f"sqlite:///{tmp_path}/small.db", tmp_path)
    tracemalloc.start()
    try:
        stored = sent(task, url, tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes
    # What a worker gets is the same task.
    assert stored.value().task.fingerprint() == task.fingerprint()


def sent(task: tasks.Task, url: str, folder: Path) -> Stored:
    """An experiment on the task, created and sent to workers."""
    spec, splits = prepared(task, "large", url, 2, SETTINGS)
    _, _, _, splits = opened(spec, splits, "large", url)
    return store(splits.packed.pickled, folder)


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize("arms", [("adam", "momentum"), ("adam", "momentum+plateau")])
def test_rows_are_counted_without_making_problems(protocol: int, arms: tuple[str, str]) -> None:
    made = read_spec(**{**TINY, "arms": arms, "protocol": protocol})
    splits = Splits(task_of(made), made)
    for purpose in Purpose:
        assert {len(problem.train) for problem in splits.problems(purpose, 1)} == {splits.rows(purpose)}
