"""`cooldown.runs`: an experiment whose runs are trained by the caller's own program, and what a kill leaves of it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE
from report_pages import read
from search_runs import print_of, surroundings

from cooldown import compare, load, runs, tasks
from cooldown.objectives import Outcome
from cooldown.objectives.errors import InputError
from cooldown.objectives.runs import Run
from cooldown.search.report import report
from cooldown.storage import Ledger, LedgerError, Purpose, Status

LOOP = '''
import numpy as np

X = np.random.default_rng(0).uniform(-1, 1, 60)
DATA = {"X": X, "y": 3 * X + 0.1 * np.random.default_rng(1).normal(size=60), "uninformed_loss": 10.0}
SETTINGS = {
    "arms": ["sgd", "sgd+cosine"], "trials": 4, "repeats": 2, "epochs": 3, "seeds": 2, "finalists": 2,
    "finalist_seeds": 2, "confirm_seeds": 2, "generation": 2,
}

def train(run):
    """Gradient descent on y = w·x, a pass an update."""
    (x, y), (x_held_out, y_held_out) = run.rows("train"), run.rows("held_out")
    w = np.random.default_rng(run.seed).normal()
    for epoch, rate in enumerate(run.learning_rates):
        error = w * x - y
        held_out_loss = ((w * x_held_out - y_held_out) ** 2).mean()
        if not run.report(epoch, train_loss=(error**2).mean(), held_out_loss=held_out_loss):
            break
        w -= rate * (2 * error * x).mean()
'''
EXAMPLE: dict[str, Any] = {}
exec(LOOP, EXAMPLE)
train, DATA, SETTINGS = EXAMPLE["train"], EXAMPLE["DATA"], EXAMPLE["SETTINGS"]

RUNS = 2 * (2 * (4 * 2 + 2 * 2 + 2) + 2 * (2 + 2))
"""Of all repeats: the searches, finalists and evaluations of two arms, and their default configs."""


def asked(url: str, name: str = "mine", **changes: Any) -> Iterator[Run]:
    return runs(name, **DATA, db=url, **{**SETTINGS, **changes})


def trained(url: str, name: str = "mine", **changes: Any) -> int:
    """Train all runs that are left; returns how many there were."""
    count = 0
    for run in asked(url, name, **changes):
        train(run)
        count += 1
    return count


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of the experiment whose loop is called."""
    task = tasks.from_loop(train, DATA["X"], DATA["y"], name="called", uninformed_loss=DATA["uninformed_loss"])
    result = compare(task, db=f"sqlite:///{tmp_path_factory.mktemp('called')}/cooldown.db", workers=1, **SETTINGS)
    assert result.status is Status.DONE
    return str(result.to_json()["fingerprint"])


def test_runs_that_are_asked_for_are_those_of_a_called_loop(url: str, undisturbed: str) -> None:
    assert trained(url) == RUNS
    result = load("mine", db=url)
    assert result.status is Status.DONE
    assert result.answer.word in ("yes", "no", "open", "no difference that matters")
    assert result.to_json()["fingerprint"] == undisturbed
    assert trained(url) == 0, "once it is done there is nothing to ask for"


def test_what_finishes_it_is_the_program_and_no_command(url: str) -> None:
    for run, _ in zip(asked(url), range(5), strict=False):
        train(run)
    left, told = load("mine", db=url), "tart the Python program that began it again"
    assert left.answer.next is not None
    assert left.answer.next.purpose == f"To finish it, s{told}"
    page = read(report(left))
    assert f"S{told}." in page.text
    assert "cooldown resume" not in page.text


def test_left_after_any_number_of_runs_and_asked_again(url: str, undisturbed: str) -> None:
    """Whatever was in flight is handed out again; a program that is left gives up the lease."""
    order: list[tuple[Any, int]] = []
    for after in range(1, RUNS):
        for count, run in enumerate(asked(url), 1):
            if count == after:
                run.report(0, train_loss=0.0, held_out_loss=0.0)
                break
            train(run)
            order.append((run.config, run.seed))
        else:
            break
        assert Ledger(url).load("mine").status is Status.INTERRUPTED
    assert len(dict.fromkeys(order)) <= RUNS
    assert print_of(Ledger(url).load("mine")) == undisturbed


KILLED = """
import os, signal

def asked(name, last=None):
    for number, run in enumerate(cooldown.runs(name, **DATA, db="sqlite:///cooldown.db", **SETTINGS), 1):
        if number == last:
            run.report(0, train_loss=0.0, held_out_loss=0.0)
            os.kill(os.getpid(), signal.SIGKILL)
        train(run)

# Before forking, so that not every child has everything to import.
asked("whole")
last, killed = 0, True
while killed:
    last += 1
    process = os.fork()
    if not process:
        asked("mine", last)
        os._exit(0)
    killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
print("KILLED", last - 1)
"""


@pytest.mark.processes
def test_killed_at_any_run_and_started_again(tmp_path: Path, url: str, undisturbed: str) -> None:
    """First at its first run, then at its second one, and so on, until a process reaches the end."""
    (tmp_path / "killed.py").write_text(f"import cooldown\n{LOOP}{KILLED}")
    done = subprocess.run(
        [sys.executable, "killed.py"],
        cwd=tmp_path,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert int(done.stdout.removeprefix("KILLED")) >= 4
    record = Ledger(url).load("mine")
    assert record.status is Status.DONE
    assert print_of(record) == print_of(Ledger(url).load("whole")) == undisturbed


def test_one_program_at_a_time(url: str) -> None:
    first = asked(url)
    train(next(first))
    with pytest.raises(LedgerError, match="is being run by process"):
        next(asked(url))
    first.close()  # type: ignore[attr-defined]
    train(next(asked(url)))


def test_pruned_as_a_called_loop_is_where_a_trial_has_one_seed(url: str) -> None:
    alone = {"seeds": 1, "pruner": "median", "trials": 12, "repeats": 1, "arms": ["sgd"]}
    trained(url, **alone)
    record = Ledger(url).load("mine")
    curves = [curve for study in record.studies for curve in study.curves(Purpose.SEARCH)]
    assert Outcome.PRUNED in {curve.outcome for curve in curves}
    task = tasks.from_loop(train, DATA["X"], DATA["y"], name="called", uninformed_loss=DATA["uninformed_loss"])
    compare(task, db=url, workers=1, **{**SETTINGS, **alone})
    assert print_of(record) == print_of(Ledger(url).load("called"))


def test_it_goes_on_until_it_answers(url: str) -> None:
    small = {"looks": (2, 3), "trials": 1, "seeds": 1, "finalists": 1, "finalist_seeds": 1, "generation": 1}
    small |= {"confirm_seeds": 1, "repeats": None}
    trained(url, **small)
    record = Ledger(url).load("mine")
    assert record.status is Status.DONE
    assert list(record.looks) in ([2], [2, 3])
    task = tasks.from_loop(train, DATA["X"], DATA["y"], name="called", uninformed_loss=DATA["uninformed_loss"])
    compare(task, db=url, workers=1, **{**SETTINGS, **small})
    called = Ledger(url).load("called")
    assert called.looks == record.looks
    assert print_of(record) == print_of(called)


def test_a_run_without_a_report_is_told(url: str) -> None:
    waiting = asked(url)
    next(waiting)
    with pytest.raises(InputError, match="ended without a report"):
        next(waiting)
    assert Ledger(url).load("mine").status is Status.INTERRUPTED


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pruner": "median"}, r"runs\(pruner='median', seeds=2\): .* use seeds=1, or tasks.from_loop"),
        ({"n_samples": 60}, "runs: give either X and y, or n_samples"),
        ({"arms": ["adamm"]}, "unknown optimizer 'adamm'"),
    ],
)
def test_mistakes_are_told_before_there_is_an_experiment(
    changes: dict[str, Any], message: str, url: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        asked(url, **changes)
    assert not list(tmp_path.glob("*.db"))


def test_its_task_has_no_function_to_call(url: str) -> None:
    from cooldown import train as train_here
    from cooldown.objectives import TrainConfig
    from cooldown.objectives.data.own_loop import loop_task

    task = loop_task("runs", None, np.ones((20, 2)), np.arange(20.0), "mine", None, "regression", None, None)
    with pytest.raises(InputError, match=r"its runs are handed out by cooldown.runs"):
        train_here(task, [TrainConfig(epochs=1)], [0])
