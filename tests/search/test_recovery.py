"""What happens when a run is killed, interrupted, or run twice: real processes and real signals."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from covering import in_short
from patience import PATIENCE
from search_runs import (
    STUBBORN_TASKS,
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

SLOW = flags(repeats=2, trials=6, epochs=2)
"""12 generations and 4 + 4 further jobs of a task that takes its time: for each of them half a second or so."""

ONE_WORKER = ["--executor", "local", "--workers", "1"]
"""A process beside the command's own."""

FAILURES = [
    ("raising", "training failed: Unpicklable: bad and worse (stubborn.py, line"),
    ("deadly", f"a worker process died {MAX_DEATHS} times on generation 0 of study momentum+sgdr/0"),
]
"""A task whose model fails in a worker, and what is said of it."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of the slow task's experiment that nobody disturbs."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "stubborn.py").write_text(STUBBORN_TASKS)
    done = cooldown("compare", "stubborn:slow", *SLOW, "--executor", "inline", "--json", cwd=folder)
    return str(json.loads(done.stdout)["fingerprint"])


def kill_coordinator(process: Any) -> None:
    os.kill(process.pid, signal.SIGKILL)


def kill_group(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)


MOMENTS = {
    "a generation is in the ledger": 1,
    "two generations are in the ledger": 4,
    "some studies are in their finals": 12,
}
STARTED, SEARCHING, LATE = MOMENTS


def struck(process: Any, strike: Any, code: int, moment: str, url: str) -> None:
    """Strike the process at that moment, and see it and its workers go without having lost or shown anything."""

    def now() -> bool:
        # The resource trackers, and two workers that may still be importing.
        return len(children(process)) >= 3 and trials_so_far(url) >= MOMENTS[moment]

    wait_until(now, moment, process)
    workers = children(process)
    strike(process)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert "Traceback" not in err, err
    assert out == ""
    assert ("cooldown resume struck" in err) == (code == 130)
    wait_until_gone(workers)
    assert Ledger(url).load("struck").status is Status.INTERRUPTED


STRIKES = [
    (interrupt, 130, STARTED),
    (kill_coordinator, -signal.SIGKILL, SEARCHING),
    (kill_group, -signal.SIGKILL, LATE),
]


@pytest.mark.processes
def test_struck_and_resumed(stubborn: Path, url: str, undisturbed: str, launch: Any) -> None:
    """Again and again, in every way and at every moment: what is left at the end is what nobody disturbed.

    Other signals have their handler in common with Ctrl-C (test_interrupts.py).
    """
    command = ["compare", "stubborn:slow", *SLOW, "--name", "struck"]
    for strike, code, moment in STRIKES:
        struck(launch(*command, "--workers", "2", cwd=stubborn), strike, code, moment, url)
        command = ["resume", "struck", "--trust"]
    cooldown("resume", "struck", "--trust", "--executor", "inline", cwd=stubborn)
    assert print_of(Ledger(url).load("struck")) == undisturbed


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


@pytest.mark.processes
def test_a_killed_worker_is_replaced(stubborn: Path, url: str, undisturbed: str, launch: Any) -> None:
    command = ["compare", "stubborn:slow", *SLOW, "--name", "hit", "--workers", "2"]
    process = launch(*command, cwd=stubborn, environment={"TEST_SLEEP": "0.04"})
    wait_until(lambda: trials_so_far(url) >= 4, "it trains", process)
    victims = [each for each in children(process) if "popen_loky" in " ".join(each.cmdline())]
    assert len(victims) == 2
    victims[0].kill()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Traceback" not in err, err
    assert print_of(Ledger(url).load("hit")) == undisturbed


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
    failed = cooldown("compare", f"stubborn:{task}", *flags(), *ONE_WORKER, "--quiet", cwd=stubborn, check=1)
    assert said in failed.stderr.replace(f"{stubborn}{os.sep}", "")
    assert failed.stdout == ""
    record = Ledger(url).load(task)
    assert record.status is Status.FAILED
    assert record.message in failed.stderr
    assert not any(study.trials for study in record.studies)
    shown = run_here("show", task, "--db", url)[1]
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


@pytest.mark.processes
def test_a_second_process_is_told_who_runs_it(stubborn: Path, url: str, launch: Any, run_here: Any) -> None:
    hold = stubborn / "hold"
    environment = {"TEST_HOLD": str(hold)}
    command = ["compare", "stubborn:slow", *SLOW, "--name", "held", *ONE_WORKER]
    process = launch(*command, cwd=stubborn, environment=environment)
    wait_until(lambda: trials_so_far(url) >= 2, "it trains", process)
    hold.touch()
    refused = cooldown("resume", "held", "--trust", cwd=stubborn, check=2).stderr
    code, _, also = run_here("delete", "held", "--yes", "--db", url)
    assert code == 2
    for said in (refused, also):
        assert f"is being run by process {process.pid} on" in said
    assert json.loads(run_here("list", "--json", "--db", url)[1])[0]["status"] == "running"
    kill_group(process)
    process.communicate(timeout=PATIENCE)
    # Its holder is dead: whoever comes next need not wait.
    assert run_here("delete", "held", "--yes", "--db", url)[0] == 0
    assert Ledger(url).summaries() == []


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
