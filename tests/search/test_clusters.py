"""Experiments on a Dask cluster: results as anywhere, whoever dies; and what is said where it cannot be used."""

import os
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

import psutil
import pytest
from covering import in_short
from dask_servers import Servers
from executor_jobs import Shared, broken_where_told, process
from patience import PATIENCE
from search_runs import TINY, print_of, run_in_threads, spec, trials_so_far, wait_until
from sqlalchemy import update

from cooldown import compare, resume
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.search.executors import dask_connection, engines
from cooldown.search.executors.jobs import compile_programs
from cooldown.search.executors.opening import check_executor, open_executor
from cooldown.search.executors.packed import Packed
from cooldown.search.tuning.held import RunError
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.storage import Ledger, Status, tables

SLOW = spec(task="stubborn:slow", repeats=1, trials=8)
EXECUTORS = [(executor, workers) for executor in ("local", "dask") for workers in (1, 2, 3)]


@pytest.mark.processes
@pytest.mark.parametrize(("executor", "workers"), in_short(EXECUTORS, []))
def test_the_executor_changes_nothing(executor: str, workers: int, url: str) -> None:
    there = compare(**TINY, db=url, name="there", executor=executor, workers=workers)
    assert there.record.status is Status.DONE
    assert print_of(there.record) == print_of(run_in_threads(url, spec(), name="here"))


@pytest.mark.processes
def test_a_killed_worker_of_an_own_cluster_is_replaced(
    stubborn: Path, url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_SLEEP", "0.05")
    killed: list[psutil.Process] = []

    def kill_one(_: Any) -> None:
        if killed or trials_so_far(url) < 4:
            return
        workers = [each for each in psutil.Process().children(True) if "dask_workers" in " ".join(each.cmdline())]
        assert len(workers) == 2
        killed.append(workers[0])
        workers[0].kill()

    hit = run_in_threads(url, SLOW, lambda: engines.get("dask").open(2, None), name="hit", report=kill_one)
    assert killed
    assert "Traceback" not in capfd.readouterr().err
    assert print_of(hit) == print_of(run_in_threads(url, SLOW, name="undisturbed"))


def on_cluster(servers: Servers, folder: Path, count: int) -> str:
    """A cluster whose workers are slow with the slow task, and stand still while there is a file `hold`."""
    address = servers.start(workers=0)
    found = os.pathsep.join([str(folder), *filter(None, sys.path)])
    slow = {"TEST_COORDINATOR": "0", "TEST_SLEEP": "0.05", "TEST_HOLD": str(folder / "hold")}
    for _ in range(count):
        servers.add_worker(address, PYTHONPATH=found, **slow)
    servers.wait_for_workers(address, count)
    return address


@pytest.mark.processes
def test_a_lost_worker_costs_its_job_only_and_a_lost_scheduler_the_run_which_is_resumed_elsewhere(
    stubborn: Path, url: str, servers: Servers, capfd: pytest.CaptureFixture[str]
) -> None:
    address = on_cluster(servers, stubborn, 2)

    def strike(_: Any) -> None:
        if (trials := trials_so_far(url)) >= 4:
            servers.workers[0].kill()
        if trials >= 8:
            (stubborn / "hold").touch()
            servers.scheduler.kill()

    lost = f"the Dask scheduler at {address} cannot be reached any more. Finished work is kept"
    with pytest.raises(RunError, match=lost):
        run_in_threads(url, SLOW, lambda: engines.get("dask").open(2, address), name="hit", report=strike)
    assert "Traceback" not in capfd.readouterr().err
    hit = run_in_threads(url, SLOW, name="hit")
    assert print_of(hit) == print_of(run_in_threads(url, SLOW, name="undisturbed"))


@pytest.mark.processes
def test_machines_of_another_arithmetic_get_no_jobs_of_a_begun_experiment(
    url: str, servers: Servers, tmp_path: Path
) -> None:
    address = servers.start(workers=1)
    given = {"task": "quadratic", "repeats": 1}
    begun = compare(**{**TINY, **given}, db=url, name="begun", executor=address)
    assert len(begun.record.environment["arithmetic"]) == 16
    (tmp_path / "sitecustomize.py").write_text(
        "from cooldown.objectives.training import arithmetic\narithmetic.arithmetic_digest = lambda: 'another'\n"
    )
    servers.add_worker(address, PYTHONPATH=os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    made = spec(task="quadratic")
    splits = Splits(task_of(made), made)
    with engines.get("dask").open(1, address) as executor:
        wait_until(lambda: executor.capacity == 4, "both workers are there")
        executor.prepare(compile_programs, splits.packed, [], begun.record.environment["arithmetic"]).result(PATIENCE)
        with pytest.warns(CooldownWarning, match="gets no jobs: it rounds in another way.*arithmetic another instead"):
            wait_until(lambda: executor.capacity == 2, "it is left out")
        good = {executor.submit(process_of, splits.packed).result(PATIENCE) for _ in range(6)}
    assert good == {servers.workers[0].pid}
    with warnings.catch_warnings(action="ignore", category=CooldownWarning):
        extended = resume("begun", repeats=2, db=url, executor=address)
    assert print_of(extended.record) == print_of(run_in_threads(url, made, name="whole"))


def process_of(_: Any) -> int:
    return os.getpid()


def test_a_machine_of_another_arithmetic_does_not_continue_an_experiment(url: str) -> None:
    run_in_threads(url, spec(repeats=1))
    ledger, e = Ledger(url), tables.experiments
    with ledger._database.writing() as connection:  # type: ignore[attr-defined]
        changed = {**ledger.load("tiny").environment, "arithmetic": "another"}
        connection.execute(update(e).values(environment=changed))
    with pytest.raises(RunError, match="tiny cannot be continued on this machine: it rounds in another way"):
        resume("tiny", repeats=2, db=url)
    assert all(study.repeat == 0 for study in ledger.load("tiny").studies if study.trials)


@pytest.mark.processes
def test_workers_that_appear_are_used_and_one_that_fails_alone_is_left_out(servers: Servers, tmp_path: Path) -> None:
    shared = Packed(Shared(tmp_path), "the value")
    address = servers.start(workers=1)
    with engines.get("dask").open(1, address) as executor:
        first = executor.submit(process, shared).result(PATIENCE)
        servers.add_worker(address, TEST_BROKEN="1")
        wait_until(lambda: executor.capacity == 4, "it is seen")

        def left_out() -> bool:
            done = [executor.submit(broken_where_told, shared) for _ in range(10)]
            assert {future.result(PATIENCE) for future in done} == {first}
            return executor.capacity == 2

        with pytest.warns(CooldownWarning, match="gets no jobs: it failed 3 jobs in a row that others did: .*broken"):
            wait_until(left_out, "it is left out")
        assert executor.submit(broken_where_told, shared).result(PATIENCE) == first


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("daks", "unknown executor 'daks'; did you mean 'dask'"),
        ("http://here:80", "unknown scheme of an executor's address 'http'"),
        ("tcp://here", "should be an address such as tcp://192.0.2.7:8786"),
        ("tcp://:8786", "should be an address such as"),
        ("tcp://here:99999", "should be an address such as"),
        (3, "should be a name or an address, got 3"),
    ],
)
def test_an_executor_that_there_is_not_is_told(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_executor(given, None)


def test_a_cluster_has_workers_of_its_own() -> None:
    with pytest.raises(InputError, match="workers 3: the cluster at tcp://here:8786 has its own"):
        check_executor("tcp://here:8786", 3)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        InputError, match=r"Dask is not installed; install it with `pip install 'cooldown\[distributed\]'`"
    ):
        open_executor("dask", 2)


def test_a_scheduler_that_does_not_answer_is_told_before_there_is_an_experiment(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_connection, "CONNECT", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(InputError, match=f"the Dask scheduler at {address} cannot be reached"):
            compare(**TINY, db=url, executor=address)
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.processes
def test_a_cluster_without_workers_is_told(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_connection, "CONNECT", 2.0)
    address = servers.start(workers=0)
    with pytest.raises(InputError, match=f"the Dask scheduler at {address} has no workers; start one on each core"):
        open_executor(address, 2)


@pytest.mark.processes
def test_several_runs_of_a_machine_have_a_cluster_each(tmp_path: Path) -> None:
    shared = Packed(Shared(tmp_path), "the value")
    with engines.get("dask").open(1, None) as one, engines.get("dask").open(1, None) as other:
        processes = {each.submit(process, shared).result(PATIENCE) for each in (one, other)}
    assert len(processes) == 2
