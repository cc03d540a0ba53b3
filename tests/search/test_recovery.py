"""What happens when a run is killed, interrupted, or run twice: real processes and real signals."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from covering import in_short
from patience import PATIENCE
from search_runs import (
    ONE_WORKER,
    SLOW,
    Mortal,
    Threads,
    children,
    cooldown,
    flags,
    interrupt,
    print_of,
    run_in_threads,
    spec,
    trials_so_far,
    wait_until,
    wait_until_gone,
)

from cooldown import compare
from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.training.arithmetic import arithmetic_digest
from cooldown.search.executors.contract import JobError, WorkerLostError, job_errors
from cooldown.search.executors.jobs import compile_programs, train_replicates
from cooldown.search.tuning.held import RunError
from cooldown.search.tuning.runner import MAX_DEATHS
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Ledger, Purpose, Status

FAILURES = [
    ("raising", "training failed: Unpicklable: bad and worse (stubborn.py, line"),
    ("deadly", f"a worker process died {MAX_DEATHS} times on generation 0 of study momentum+sgdr/0"),
]
"""A task whose model fails in a worker, and what is said of it."""


def kill_coordinator(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)


def kill_group(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def ended(process: Any, strike: Any, code: int, url: str) -> None:
    """Strike the process, and see it and its workers go without having lost or shown anything."""
    workers = children(process)
    strike(process)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert "Traceback" not in err, err
    assert out == ""
    told = err.endswith("Interrupted. Finished work is kept; continue with:\n  cooldown resume struck --trust\n")
    assert told == (code == 130), err
    wait_until_gone(workers)
    assert Ledger(url).load("struck").status is Status.INTERRUPTED


@pytest.mark.processes
def test_struck_and_resumed(stubborn: Path, url: str, undisturbed: str, launch: Any, run_here: Any) -> None:
    """Again and again, in every way and at every moment: what is left at the end is what nobody disturbed.

    Signals have their handler in common (test_interrupts.py).
    """
    hold = stubborn / "hold"

    def begun(trials: int, *command: str, workers: int = 1) -> Any:
        """A command that has come so far, whose workers have started."""
        several = ["--executor", "local", "--workers", str(workers)]
        process = launch(*command, *several, cwd=stubborn, environment={"TEST_HOLD": str(hold)})
        wait_until(lambda: trials_so_far(url) >= trials and len(trainers(process)) == workers, "it trains", process)
        return process

    # A generation is in the ledger.
    process = begun(1, "compare", "stubborn:slow", *SLOW, "--name", "struck")
    hold.touch()
    held_and_told(process, url, run_here)
    hold.unlink()
    ended(process, subprocess.Popen.terminate, 130, url)

    # Two generations are; a worker that is killed is replaced.
    process = begun(4, "resume", "struck", "--trust", workers=2)
    victims = trainers(process)
    victims[0].kill()
    so_far = trials_so_far(url)
    wait_until(lambda: trials_so_far(url) > so_far + 2, "it goes on", process)
    wait_until_gone(victims)
    ended(process, kill_coordinator, -signal.SIGKILL, url)

    # Some studies are in their finals.
    process = begun(12, "resume", "struck", "--trust")
    ended(process, kill_group, -signal.SIGKILL, url)

    # The holders are dead: whoever comes next need not wait.
    assert run_here("resume", "struck", "--trust", "--executor", "inline", "--quiet")[0] == 0
    assert print_of(Ledger(url).load("struck")) == undisturbed


def trainers(process: Any) -> list[psutil.Process]:
    """The workers among the children of a process, of which others track resources."""
    return [each for each in children(process) if "popen_loky" in " ".join(each.cmdline())]


def held_and_told(process: Any, url: str, run_here: Any) -> None:
    """Nobody else may change what a process runs, and each is told which process that is."""
    for command in (("resume", "struck", "--trust"), ("delete", "struck", "--yes")):
        code, _, err = run_here(*command)
        assert code == 2
        assert f"is being run by process {process.pid} on" in err
    assert json.loads(run_here("list", "--json")[1])[0]["status"] == "running"


@pytest.mark.processes
def test_ctrl_c_before_anything_has_begun(stubborn: Path, launch: Any) -> None:
    """While the task is made there is nothing to resume, but no traceback either."""
    (stubborn / "late.py").write_text("import pathlib, time\npathlib.Path('here').touch()\ntime.sleep(60)\n")
    process = launch("compare", "late:task", cwd=stubborn)
    wait_until((stubborn / "here").exists, "the module is imported", process)
    interrupt(process)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err.strip()) == (130, "", "Interrupted.")
    assert not (stubborn / "cooldown.db").exists()


@pytest.mark.full
@pytest.mark.processes
def test_a_model_that_kills_its_worker_once(stubborn: Path, url: str) -> None:
    flag = {"TEST_FLAG": str(stubborn / "flag")}
    cooldown("compare", "stubborn:once", *flags(), *ONE_WORKER, cwd=stubborn, environment=flag)
    assert (stubborn / "flag").exists()
    assert Ledger(url).load("once").status is Status.DONE


@pytest.mark.processes
@pytest.mark.parametrize(("task", "said"), in_short(FAILURES, FAILURES[:1]))
def test_a_model_that_fails_in_the_worker(task: str, said: str, stubborn: Path, url: str, run_here: Any) -> None:
    code, out, err = run_here("compare", f"stubborn:{task}", *flags(), *ONE_WORKER, "--quiet")
    assert (code, out) == (1, "")
    assert said in err.replace(f"{stubborn}{os.sep}", "")
    record = Ledger(url).load(task)
    assert record.status is Status.FAILED
    assert record.message in err
    assert not any(study.trials for study in record.studies)
    shown = run_here("show", task)[1]
    assert "The last run failed" in shown
    assert f"cooldown resume {task}" in shown


@pytest.mark.parametrize("error", [SystemExit(5), KeyboardInterrupt(), ValueError("no"), MemoryError()])
def test_whatever_a_model_raises_becomes_an_error_of_its_job(error: BaseException) -> None:
    class Model:
        size, raises = 2, False

        def init(self, rng: Any) -> Any:
            if self.raises:
                raise error
            return rng.normal(size=2)

        def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
            return (theta**2).sum(axis=1), 2 * theta

    model = Model()
    splits = Splits(tasks.from_model(model, n_samples=20, name="raising"), spec())
    model.raises = True
    told = rf"^{type(error).__name__}: .*\(.*test_recovery.py, line \d+\)$"
    with pytest.raises(JobError, match=told), job_errors():
        train_replicates(splits, Purpose.SEARCH, 0, [TrainConfig()], [0, 1])
    with pytest.raises(JobError, match=told), job_errors():
        compile_programs(splits, [TrainConfig()], arithmetic_digest())


def test_a_model_that_cannot_be_sent_is_told_before_there_is_an_experiment(url: str, tmp_path: Path) -> None:
    class Model:
        size = 2

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def init(self, rng: Any) -> Any:
            return rng.normal(size=2)

        def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
            return (theta**2).sum(axis=1), 2 * theta

    task = tasks.from_model(Model(), n_samples=20, name="locked")
    with pytest.raises(InputError, match="task 'locked' cannot be sent to a worker process: TypeError"):
        compare(task, db=url)
    assert not list(tmp_path.glob("*.db"))


def test_the_innocent_beside_a_deadly_job_are_not_blamed(url: str) -> None:
    experiment = spec(arms=("adam", "nag", "momentum"), repeats=2)

    def kills(*arguments: Any) -> bool:
        # Purpose, repeat, configs, seeds and limits of training.
        return len(arguments) > 2 and any(config.optimizer.name == "nag" for config in arguments[2])

    with pytest.raises(RunError, match=rf"died {MAX_DEATHS} times on generation 0 of study nag/0"):
        run_in_threads(url, experiment, lambda: Mortal(kills, capacity=6))
    record = Ledger(url).load("tiny")
    assert record.status is Status.FAILED
    # Whoever was in flight beside it had its turn.
    assert {study.arm for study in record.studies if study.trials} >= {"adam"}
    assert not any(study.trials for study in record.studies if study.arm == "nag")
    # With the culprit cured, the same experiment goes on to the same end.
    whole = run_in_threads(url, experiment, name="whole")
    assert print_of(run_in_threads(url, experiment)) == print_of(whole)


def test_an_executor_whose_workers_never_start_is_given_up(url: str) -> None:
    class Stillborn(Threads):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise WorkerLostError("workers died while they started")

    with pytest.raises(RunError, match="no worker is left: workers died while they started"):
        run_in_threads(url, spec(), Stillborn)


def test_finalists_and_evaluations_are_jobs_of_their_own(url: str) -> None:
    """An interruption between the phases of a study loses none of them."""
    seen: list[set[Purpose]] = []

    class Enough(BaseException):
        pass

    def stop_between(_: Any) -> None:
        studies = Ledger(url).load("tiny").studies
        now = {purpose for study in studies for trial in study.trials for purpose in trial.curves}
        if now not in seen:
            seen.append(now)
            raise Enough

    for _ in range(10):
        try:
            run_in_threads(url, spec(repeats=1, arms=("adam",)), report=stop_between)
            break
        except Enough:
            continue
    assert seen == [set(), {Purpose.SEARCH}, {Purpose.SEARCH, Purpose.FINALIST}, set(Purpose)]
    assert print_of(Ledger(url).load("tiny")) == print_of(
        run_in_threads(url, spec(repeats=1, arms=("adam",)), name="whole")
    )
