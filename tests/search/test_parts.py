"""A job in parts has the curves of the whole, and an experiment trained in parts the fingerprint of any other."""

from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_runs import Threads, print_of, run_in_threads, spec

from cooldown.objectives import TrainConfig
from cooldown.search.executors.contract import JobError, WorkerLostError
from cooldown.search.executors.jobs import Trained, train_replicates
from cooldown.search.executors.parts import Replicates, gathered, joined, parted
from cooldown.search.tuning.studies import useful_workers
from cooldown.storage import Work


@given(configs=st.integers(1, 5), seeds=st.integers(1, 7), count=st.integers(0, 40), pruned=st.booleans())
def test_parts_cover_a_job_once(configs: int, seeds: int, count: int, pruned: bool) -> None:
    limits = np.arange(3.0 * configs).reshape(configs, 3) if pruned else None
    given_configs = [TrainConfig(epochs=i + 1) for i in range(configs)]
    grid = parted(Replicates(given_configs, range(seeds), limits), count)
    parts = [part for row in grid for part in row]
    most = configs if pruned else configs * seeds
    assert len(parts) == 1 if count < 2 else len(parts) <= min(count, most)
    # As even as a grid can be: no worker has more than in any other division.
    pieces = [(i, j) for i in range(1, configs + 1) for j in range(1, seeds + 1) if i * j <= max(count, 1)]
    sizes = [-(-configs // i) * -(-seeds // j) for i, j in pieces if not pruned or j == 1]
    assert max(len(part.configs) * len(part.seeds) for part in parts) == min(sizes)

    def trained(part: Replicates) -> Any:
        assert list(part.seeds) == list(range(part.first, part.first + len(part.seeds)))
        if part.limits is not None:
            assert [row[0] // 3 for row in part.limits] == [config.epochs - 1 for config in part.configs]
            assert len(part.seeds) == seeds
        return Trained([[(config.epochs, seed) for seed in part.seeds] for config in part.configs], (by(part.first),))

    def by(first: int) -> Work:
        return Work("a worker", first, first + 1)

    whole: Any = [[(i + 1, seed) for seed in range(seeds)] for i in range(configs)]
    assert joined([[trained(part) for part in row] for row in grid]) == (whole, tuple(by(part.first) for part in parts))


def futures(*ends: Any) -> list[Future[Any]]:
    found = []
    for end in ends:
        future: Future[Any] = Future()
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
        found.append(future)
    return found


def test_a_gathered_future_ends_with_its_last_part() -> None:
    first, second = Future[int](), Future[int]()
    whole = gathered([first, second], sum)
    second.set_result(2)
    assert not whole.done()
    first.set_result(1)
    assert whole.result(0) == 3


def test_a_lost_worker_counts_more_than_a_job_that_raised() -> None:
    lost = WorkerLostError("died", jobs=2)
    assert gathered(futures(JobError("raised"), 1, lost), sum).exception(0) is lost
    assert isinstance(gathered(futures(1, JobError("raised")), sum).exception(0), JobError)


class Counted(Threads):
    """Threads that count the jobs that train."""

    def __init__(self, workers: int, sizes: list[int]) -> None:
        super().__init__(workers)
        self._sizes = sizes

    def submit(self, call: Any, packed: Any, /, *arguments: Any) -> "Future[Any]":
        if call is train_replicates:
            self._sizes.append(len(arguments[2]) * len(arguments[3]))
        return super().submit(call, packed, *arguments)


@pytest.mark.parametrize("changes", [{}, {"pruner": "median", "epochs": 4, "trials": 6}, {"protocol": 1}])
def test_a_run_with_more_workers_than_studies_trains_in_parts(url: str, changes: dict[str, Any]) -> None:
    asked = spec(arms=("momentum+sgdr",), repeats=1, generation=3, **changes)
    whole: list[int] = []
    parts: list[int] = []
    alone = run_in_threads(url, asked, lambda: Counted(1, whole), name="alone")
    together = run_in_threads(url, asked, lambda: Counted(12, parts), name="together")
    assert print_of(together) == print_of(alone)
    assert sum(parts) == sum(whole)
    assert len(parts) > 2 * len(whole)


def test_as_many_workers_are_of_use_as_the_jobs_of_all_studies_have_parts() -> None:
    asked = {"arms": ("momentum+sgdr",), "repeats": 1, "trials": 6, "generation": 3, "seeds": 2, "confirm_seeds": 5}
    # A generation of the search, or the finalists, and the evaluation of the default config.
    assert useful_workers(spec(**asked, finalists=1, finalist_seeds=2)) == 3 * 2 + 5
    assert useful_workers(spec(**asked, finalists=4, finalist_seeds=2)) == 4 * 2 + 5
    # A pruner compares the means of configs, whose seeds stay together.
    assert useful_workers(spec(**asked, finalists=1, finalist_seeds=2, pruner="median")) == 5 + 5
