"""Small experiments for the tests of `search`: settings, executors to run them on, tasks with a will of their own."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from patience import PATIENCE

from cooldown import tasks
from cooldown.objectives.process_state import process_state
from cooldown.search.executors.contract import Executor, WorkerLostError, completed, job_errors
from cooldown.search.executors.packed import Packed
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.search.tuning.held import held
from cooldown.search.tuning.runner import run
from cooldown.search.tuning.splits import Splits, task_of
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger
from cooldown.storage.fingerprint import everything, fingerprint

COOLDOWN = str(Path(sys.executable).with_name("cooldown"))

TINY: dict[str, Any] = {
    "task": "iris",
    "arms": ("momentum+sgdr", "adam"),
    "trials": 4,
    "repeats": 2,
    "epochs": 1,
    "seeds": 2,
    "finalists": 2,
    "finalist_seeds": 2,
    "confirm_seeds": 2,
    "generation": 2,
}

STUBBORN_TASKS = '''
"""Tasks whose models are slow, deadly or broken, but only in a worker: the parent's process is in the environment."""
import os, time
from contextlib import suppress
import numpy as np
from cooldown import tasks

IN_WORKER = int(os.environ.setdefault("TEST_COORDINATOR", str(os.getpid()))) != os.getpid()


class Model:
    size = 3
    def init(self, rng):
        return rng.normal(size=3)
    def act(self):
        pass
    def loss_and_gradient(self, theta, indices):
        if IN_WORKER:
            self.act()
        weight = 1 + indices.mean(axis=1, keepdims=True) / 50
        return (theta**2 * weight).sum(axis=1) + 1e-3 * indices.mean(axis=1), 2 * theta * weight


class Slow(Model):
    """And it stands still as long as there is a file to hold it, in which it then says so."""
    def act(self):
        time.sleep(float(os.environ.get("TEST_SLEEP", "0.1")))
        while os.path.exists(hold := os.environ.get("TEST_HOLD", "/no/such/file")):
            with suppress(FileNotFoundError), open(hold, "r+") as file:
                file.write("held")
            time.sleep(0.02)


class Deadly(Model):
    def act(self):
        os._exit(3)


class Once(Model):
    """Dies in the first process that gets here."""
    def act(self):
        try:
            os.close(os.open(os.environ["TEST_FLAG"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os._exit(3)


class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


class Raising(Model):
    def act(self):
        raise Unpicklable("bad", "worse")


def task(model):
    return tasks.from_model(model, n_samples=50, name=type(model).__name__.lower(), uninformed_loss=5.0)

if not IN_WORKER:
    slow, deadly, once, raising = (task(make()) for make in (Slow, Deadly, Once, Raising))
'''


def spec(**changes: Any) -> Experiment:
    """The tiny experiment with these changes."""
    return read_spec(**{**TINY, **changes})


class Threads(Executor):
    """Workers that are threads of this process, and work one at a time.

    scikit-learn changes Python's warnings filters, which belong to the whole process, in nearly all that it does: while
    two threads do so, a warning that one of them silences becomes an error in the tests.
    """

    def __init__(self, workers: int = 1) -> None:
        self._capacity, self._threads = 2 * workers, ThreadPoolExecutor(workers)

    @property
    def capacity(self) -> int:
        return self._capacity

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._threads.submit(completed, future, lambda: self.done(call, packed, *arguments))
        return future

    def done(self, call: Callable[..., Any], packed: Packed[Any], *arguments: Any) -> Any:
        """A job, in one of the threads."""
        with process_state, job_errors(WorkerLostError):
            return call(packed.value, *arguments)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


def run_in_threads(
    url: str,
    experiment: Experiment,
    open_executor: Callable[[], Executor] = Threads,
    *,
    name: str = "tiny",
    task: tasks.Task | None = None,
    report: Callable[[Any], None] = lambda _: None,
) -> ExperimentRecord:
    """Run or resume an experiment in this process, without the cost of starting workers."""
    ledger = Ledger(url)
    splits = Splits(task_of(experiment, task), experiment)
    if name not in [summary.name for summary in ledger.summaries()]:
        ledger.create(name, experiment.to_json(), splits.task.fingerprint(), planned(experiment))
    with open_executor() as executor, held(ledger.hold(name)) as writer:
        run(writer, ledger.load(name), experiment, splits, executor, report=report)
    return ledger.load(name)


def print_of(record: ExperimentRecord) -> str:
    return fingerprint(everything(record))


class Shuffled(Threads):
    """Several workers of random speed."""

    def __init__(self, workers: int, seed: int) -> None:
        super().__init__(workers)
        self._random = random.Random(seed)

    def done(self, call: Callable[..., Any], packed: Packed[Any], *arguments: Any) -> Any:
        time.sleep(self._random.random() / 100)
        return super().done(call, packed, *arguments)


class Mortal(Threads):
    """One worker that dies, and with it every job not yet done, where `kills` says so of a job's arguments; then it is
    replaced.
    """

    def __init__(self, kills: Callable[..., bool], capacity: int = 4) -> None:
        super().__init__(1)
        self._capacity = capacity
        self._kills, self._life, self._lock = kills, _Life(), threading.Lock()

    def submit(self, call: Callable[..., Any], packed: Packed[Any], /, *arguments: Any) -> Future[Any]:
        with self._lock:
            self._life.unfinished += 1
            return super().submit(partial(self._mortally, self._life, call), packed, *arguments)

    def _mortally(self, life: "_Life", call: Callable[..., Any], value: Any, *arguments: Any) -> Any:
        with self._lock:
            if not life.lost and self._kills(*arguments):
                life.lost, self._life = life.unfinished, _Life()
            life.unfinished -= 1
        if life.lost:
            raise WorkerLostError("died", life.lost)
        return call(value, *arguments)


def sound_ledger(path: Path) -> Path:
    """A new ledger with two finished experiments, `one` and `two`, in one file without a log."""
    run_in_threads(f"sqlite:///{path}", spec(epochs=2), name="one")
    run_in_threads(f"sqlite:///{path}", spec(repeats=1), name="two")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


class _Life:
    """Of one worker. lost: the jobs that it took along."""

    unfinished = lost = 0


def cooldown(
    *arguments: str, cwd: Path, check: int | None = 0, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The `cooldown` command, run to its end; `check` is the exit code that it must have."""
    done = subprocess.run(
        [COOLDOWN, *arguments],
        cwd=cwd,
        env=surroundings(environment),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert check is None or done.returncode == check, (
        f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


ONE_BY_ONE = """
import json
import sys
from cooldown.search.cli import main

for command in json.loads(sys.argv[1]):
    sys.argv = ["cooldown", *command]
    try:
        main()
    except SystemExit as end:
        assert not end.code, command
    print("\\f")
"""


def one_by_one(
    cwd: Path, environment: dict[str, str], *commands: list[str], encoding: str = "utf-8"
) -> tuple[list[str], str]:
    """What each of the commands prints, one after the other in one new process, in which all of them succeed; and what
    is on stderr.
    """
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, json.dumps(commands)],
        cwd=cwd,
        env=surroundings(environment),
        capture_output=True,
        encoding=encoding,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\f\n")[:-1], done.stderr


def start(*arguments: str, cwd: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """The `cooldown` command in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [COOLDOWN, *arguments],
        cwd=cwd,
        env=surroundings(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def surroundings(changes: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: without what this test process has set for itself."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COOLDOWN", "TEST_"))}
    return {**kept, "COLUMNS": "80", **(changes or {})}


def flags(**changes: Any) -> list[str]:
    """The tiny experiment's command line, but for its task."""
    given = {**TINY, **changes}
    arms = [part for arm in given.pop("arms") for part in ("--arm", arm)]
    for name in ("task", "finalist_seeds", "generation"):
        given.pop(name)
    return arms + [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]


SLOW = flags(repeats=2, trials=6, epochs=2)
"""12 generations and 4 + 4 further jobs of a task that takes its time: for each of them half a second or so."""

ONE_WORKER = ["--executor", "local", "--workers", "1"]
"""A process beside the command's own."""


def wait_until(condition: Callable[[], Any], what: str, process: subprocess.Popen[str] | None = None) -> Any:
    """What `condition` returns as soon as that is true; a failed test where it never is."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended before {what}: {process.communicate()}")
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.05)
    return found


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """No process may outlive its coordinator."""
    wait_until(
        lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes),
        f"{processes} are gone",
    )


def trials_so_far(url: str) -> int:
    """How many trials are in the ledger; it is asked many times beside a run, so the ledger is not opened as one."""
    path = url.removeprefix("sqlite:///")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM cooldown_trials").fetchone()[0])
    except sqlite3.OperationalError:
        # It is not there yet, or being created.
        return 0


def interrupt(process: subprocess.Popen[str]) -> None:
    """What Ctrl-C in a terminal does: every process of the group gets the signal."""
    os.killpg(process.pid, signal.SIGINT)
