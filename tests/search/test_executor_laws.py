"""The contract of executors (search/executors/contract.py), law by law, on every implementation."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from covering import in_short
from dask_servers import Servers
from executor_jobs import (
    Shared,
    dies,
    held,
    is_mapped,
    noted,
    process,
    raises,
    total,
    unpicklable_result,
)
from patience import PATIENCE
from search_runs import Mortal, Shuffled, Threads, children, surroundings, wait_until, wait_until_gone

from cooldown.objectives.errors import InputError
from cooldown.search.executors import engines
from cooldown.search.executors.contract import Executor, JobError
from cooldown.search.executors.handed_out import HandedOut
from cooldown.search.executors.packed import Packed

WITH_PROCESSES: dict[str, Callable[[Servers], Executor]] = {
    "local": lambda _: engines.get("local").open(2, None),
    "dask": lambda _: engines.get("dask").open(2, None),
    # A worker that dies there is not replaced.
    "dask at an address": lambda servers: engines.get("dask").open(2, servers.start(workers=2)),
}
IN_THIS_PROCESS: dict[str, Callable[[Servers], Executor]] = {
    "inline": lambda _: engines.get("inline").open(1, None),
    "handed out": lambda _: HandedOut(),
    "threads": lambda _: Threads(2),
    "shuffled": lambda _: Shuffled(2, seed=0),
    "mortal": lambda _: Mortal(lambda *_: False),
}
ALL = [
    *(pytest.param(name, marks=pytest.mark.processes) for name in WITH_PROCESSES),
    *IN_THIS_PROCESS,
]
MORTAL = [pytest.param(name, marks=pytest.mark.processes) for name in WITH_PROCESSES]


@pytest.fixture(scope="module")
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """One for all laws that leave it open: whatever a job does to it, it does the next one."""
    servers = Servers()
    try:
        with (WITH_PROCESSES | IN_THIS_PROCESS)[request.param](servers) as opened:
            yield opened
    finally:
        servers.close()


@pytest.fixture
def shared(tmp_path: Path) -> Packed[Shared]:
    return Packed(Shared(tmp_path), "the value")


def test_every_engine_is_tested() -> None:
    assert set(engines.names()) <= {*WITH_PROCESSES, *IN_THIS_PROCESS}


@pytest.mark.parametrize("executor", ALL, indirect=True)
def test_jobs_get_the_value_and_arguments_of_their_own(executor: Executor, shared: Packed[Shared]) -> None:
    futures = [executor.submit(total, shared, factor, 1.0) for factor in range(7)]
    expected = shared.value.table.sum()
    assert [future.result(PATIENCE) for future in futures] == [expected * factor + 1 for factor in range(7)]


@pytest.mark.parametrize("executor", ALL, indirect=True)
def test_there_is_room_for_a_job(executor: Executor, shared: Packed[Shared]) -> None:
    assert executor.capacity >= 1
    executor.submit(process, shared).result(PATIENCE)
    assert executor.capacity >= 1


@pytest.mark.parametrize("executor", ALL, indirect=True)
def test_whatever_a_job_raises_is_a_job_error_with_its_text(executor: Executor, shared: Packed[Shared]) -> None:
    for kind, text in (("bad", "ValueError: bad"), ("exit", "SystemExit: 5"), ("unpicklable", "bad and worse")):
        error = executor.submit(raises, shared, kind).exception(PATIENCE)
        assert isinstance(error, JobError)
        assert text in str(error)
        assert "executor_jobs.py, line" in str(error)
    assert executor.submit(total, shared, 0).result(PATIENCE) == 0, "and it goes on"


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_a_result_that_cannot_be_sent_is_a_job_error(executor: Executor, shared: Packed[Shared]) -> None:
    assert isinstance(executor.submit(unpicklable_result, shared).exception(PATIENCE), JobError)
    assert executor.submit(total, shared, 0).result(PATIENCE) == 0


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_a_value_that_cannot_be_sent_is_bad_input(executor: Executor) -> None:
    with pytest.raises(InputError, match="the generator cannot be sent to a worker process"):
        executor.submit(next, Packed((number for number in range(3)), "the generator"))


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_a_dead_worker_is_lost_and_replaced(executor: Executor, shared: Packed[Shared]) -> None:
    error = executor.submit(dies, shared).exception(PATIENCE)
    assert isinstance(error, executor.lost)
    assert error.jobs == 1
    assert executor.submit(total, shared, 0).result(PATIENCE) == 0


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_the_value_is_pickled_once_and_unpickled_once_in_each_process(
    executor: Executor, shared: Packed[Shared]
) -> None:
    folder = shared.value.folder
    futures = [executor.submit(process, shared) for _ in range(20)]
    workers = {future.result(PATIENCE) for future in futures}
    assert len(noted(folder / "pickled")) == 1
    unpickled = noted(folder / "unpickled")
    assert len(unpickled) == len(set(unpickled))
    assert workers <= set(unpickled)


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_processes_of_a_machine_share_its_arrays(executor: Executor, tmp_path: Path) -> None:
    shared = Packed(Shared(tmp_path, rows=4000), "the value")
    assert all(future.result(PATIENCE) for future in [executor.submit(is_mapped, shared) for _ in range(4)])


@pytest.mark.parametrize("executor", MORTAL, indirect=True)
def test_close_drops_queued_jobs_and_leaves_no_process(
    executor: Executor, shared: Packed[Shared], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The last law on each: nothing can be done with the executor afterwards. Workers of a cluster elsewhere stay."""
    found = [executor.submit(process, shared) for _ in range(20)]
    workers = [psutil.Process(pid) for pid in {future.result(PATIENCE) for future in found}]
    # A job for each worker that is left, so that none of them comes to another one.
    names = [f"first {worker}" for worker in range(executor.capacity // 2)]
    for name in names:
        (tmp_path / f"hold {name}").touch()
        executor.submit(held, shared, name)
    wait_until(lambda: all(noted(tmp_path / f"{name} runs") for name in names), "they run")
    for place in range(9):
        executor.submit(held, shared, f"queued {place}")
    executor.close()
    executor.close()
    for name in names:
        (tmp_path / f"hold {name}").unlink()
    if "address" in request.node.callspec.params["executor"]:
        assert all(worker.is_running() for worker in workers)
    else:
        wait_until_gone(workers)
    assert len(list(tmp_path.glob("queued * runs"))) < 9


def test_an_inline_job_is_interrupted_as_it_runs(shared: Packed[Shared]) -> None:
    def interrupted(_: Shared) -> None:
        os.kill(os.getpid(), 2)

    with pytest.raises(KeyboardInterrupt):
        engines.get("inline").open(1, None).submit(interrupted, shared)


@pytest.mark.processes
@pytest.mark.parametrize("name", in_short(list(WITH_PROCESSES), ["local", "dask"]))
def test_a_killed_coordinator_leaves_no_process_and_no_file(name: str, servers: Servers, tmp_path: Path) -> None:
    """The servers of an existing cluster are not its own, and stay."""
    address = servers.start() if "address" in name else None
    script = f"""
import os, sys
from executor_jobs import Shared, process
from cooldown.search.executors import engines
from cooldown.search.executors.packed import Packed
from pathlib import Path
executor = engines.get({name.partition(" ")[0]!r}).open(1, {address!r})
executor.submit(process, Packed(Shared(Path({str(tmp_path)!r})), "the value")).result()
print("works", flush=True)
sys.stdin.read()
"""
    (tmp_path / "temporary").mkdir()
    coordinator = subprocess.Popen(
        [sys.executable, "-c", script],
        env=surroundings({"TMPDIR": str(tmp_path / "temporary"), "PYTHONPATH": os.pathsep.join(sys.path)}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert coordinator.stdout is not None
    assert coordinator.stdout.readline() == "works\n"
    workers = children(coordinator)
    coordinator.kill()
    coordinator.communicate()
    wait_until_gone(workers)
    if address is None:
        assert not list((tmp_path / "temporary").glob("cooldown-*"))
    assert all(process.is_running() for process in servers.processes())
