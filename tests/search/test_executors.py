"""Where training runs: workers that end with their coordinator, as many as this machine has cores, or none at all."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import loky
import psutil
import pytest
from patience import PATIENCE
from search_runs import print_of, run_in_threads, spec

from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.errors import CooldownWarning
from cooldown.objectives.training.arithmetic import arithmetic_digest
from cooldown.search.executors import worker_process
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.executors.jobs import compile_programs
from cooldown.search.executors.opening import default_workers
from cooldown.search.executors.packed import Packed
from cooldown.search.tuning.splits import Splits


def test_the_cores_of_the_affinity_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    monkeypatch.setattr("loky.backend.context._cpu_count_cgroup", lambda count: count)
    assert default_workers() == 3


@pytest.mark.parametrize("version", [1, 2])
def test_the_quota_of_a_container_is_kept(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two and a half cores of 64, as control groups of both versions say it."""
    files = {"/sys/fs/cgroup/cpu.max": "250000 100000\n"}
    if version == 1:
        files = {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}

    def opened(name: str, *_: Any) -> Any:
        return io.StringIO(files[name])

    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("loky.backend.context.os.path.exists", lambda name: name in files)
    monkeypatch.setattr("loky.backend.context.open", opened, raising=False)
    assert default_workers() == 3


def test_a_daemonic_process_trains_by_itself(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a task of Celery or Airflow does. What it finds is what workers find."""
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    with pytest.warns(CooldownWarning, match="a daemonic process may not start others.*in this process"):
        record = run_in_threads(url, spec(), lambda: LocalProcesses(3), name="alone")
    assert print_of(record) == print_of(run_in_threads(url, spec(), name="workers"))


@pytest.mark.parametrize(
    "error",
    [
        OSError(30, "Read-only file system"),
        ImportError("This platform lacks a functioning sem_open implementation"),
        NotImplementedError("system provides too few semaphores"),
    ],
)
def test_without_semaphores_jobs_run_in_this_process(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: Any) -> None:
        raise error

    monkeypatch.setattr(loky, "ProcessPoolExecutor", refused)
    with pytest.warns(CooldownWarning, match="no worker processes can be started here"):
        executor = LocalProcesses(2)
    with executor:
        assert executor.submit(process_id, Packed(None, "nothing")).result() == os.getpid()
        assert executor.capacity == 1


def process_id(_: None) -> int:
    return os.getpid()


@pytest.mark.processes
def test_a_worker_whose_coordinator_is_gone_before_it_looks_ends(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    script = f"""
import time
from pathlib import Path
from cooldown.search.executors.worker_process import start_worker
start_worker({_free_process_id()}, 0.0, Path({str(data)!r}))
time.sleep({PATIENCE})
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=PATIENCE, check=False).returncode == 1
    # Nobody else is left to remove its data.
    assert not data.exists()


def test_an_interrupt_waits_until_the_workers_are_started() -> None:
    """Also when another thread takes it, which does not block it. A worker that is half started prints a trace."""
    started = False
    # A thread that is started in there would block it, too.
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(int).result()
        with pytest.raises(KeyboardInterrupt), worker_process.without_signals():  # noqa: PT012
            elsewhere.submit(signal.raise_signal, signal.SIGINT).result()
            # Python calls handlers between two instructions.
            started = sum(range(1000)) > 0
    assert started
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_parent_is_known_by_its_id_and_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = psutil.Process(os.getppid())
    assert worker_process._lives(parent.pid, parent.create_time())
    assert not worker_process._lives(_free_process_id(), parent.create_time())
    # Where a child keeps the id of its parent, another process may have it by now.
    monkeypatch.setattr(worker_process, "os", SimpleNamespace(name="nt"))
    assert worker_process._lives(parent.pid, parent.create_time())
    assert not worker_process._lives(parent.pid, parent.create_time() - 5)
    assert not worker_process._lives(_free_process_id(), parent.create_time())


def _free_process_id() -> int:
    return next(pid for pid in range(2**22 - 1, 0, -1) if not psutil.pid_exists(pid))


class Complaining:
    """A model during whose training something is said about the machine."""

    size = 2
    complains = False

    def init(self, rng: Any) -> Any:
        if self.complains:
            warnings.warn("the cache is full", CooldownWarning, stacklevel=1)
            warnings.warn("something else", RuntimeWarning, stacklevel=1)
        return rng.normal(size=2)

    def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
        return (theta**2).sum(axis=1), 2 * theta


def test_what_a_worker_says_of_its_machine_comes_back() -> None:
    model = Complaining()
    splits = Splits(tasks.from_model(model, n_samples=50, name="complaining"), spec())
    model.complains = True
    with pytest.warns(RuntimeWarning, match="something else"):
        compiled = compile_programs(splits, [TrainConfig()], arithmetic_digest())
    assert compiled.remarks == ("the cache is full",)
    assert compiled.seconds > 0


def test_and_the_coordinator_says_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cooldown.search.tuning.runner.compile_programs", _complaint)
    with pytest.warns(CooldownWarning, match="the disk is full"):
        run_in_threads(url, spec())


def _complaint(*arguments: Any) -> Any:
    return compile_programs(*arguments)._replace(remarks=("the disk is full",))


@pytest.mark.processes
def test_many_coordinators_that_are_killed_while_their_workers_start_leave_none() -> None:
    """At different moments of the start."""
    script = """
import os, sys, time
from cooldown.search.executors.engines.local import LocalProcesses
from cooldown.search.executors.packed import Packed
executor, nothing = LocalProcesses(2), Packed(None, "nothing")
futures = [executor.submit(str, nothing) for _ in range(4)]
time.sleep(float(sys.argv[1]))
print(*(str(process.pid) for process in executor._pool._processes._processes.values()), flush=True)
os.kill(os.getpid(), 9)
"""
    workers: list[psutil.Process] = []
    for pause in (0, 0.4):
        done = subprocess.run(
            [sys.executable, "-c", script, str(pause)], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False
        )
        assert done.stdout.split()
        workers += [psutil.Process(pid) for pid in map(int, done.stdout.split()) if psutil.pid_exists(pid)]
    end = time.monotonic() + PATIENCE
    while any(worker.is_running() for worker in workers):
        assert time.monotonic() < end, workers
        time.sleep(0.05)
