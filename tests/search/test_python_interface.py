"""`compare`, `tune`, `load` from Python: results, scripts without a main guard, models of one's own, notebooks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from patience import PATIENCE
from search_runs import TINY, surroundings

import cooldown
from cooldown import Result, compare, load, resume, tune
from cooldown.objectives import TrainConfig, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import Status

QUICK = {**TINY, "repeats": 1, "trials": 2, "finalists": 1}
ARRAYS = {key: value for key, value in QUICK.items() if key != "task"}

SCRIPT = """
import numpy as np
from cooldown import tasks
from cooldown import compare

class Parabola:
    '''Defined in the script itself: no worker can import it.'''
    size = 2
    def init(self, rng):
        return rng.normal(size=2)
    def loss_and_gradient(self, theta, indices):
        return (theta**2).sum(axis=1), 2 * theta

task = tasks.from_model(Parabola(), n_samples=20, name="parabola", uninformed_loss=9.0)
settings = {settings!r}
result = compare(task, db="sqlite:///cooldown.db", executor="local", workers=1, **settings)
print("STATUS", result.status.value, result.to_json()["fingerprint"])
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Result]:
    url = f"sqlite:///{tmp_path_factory.mktemp('ran')}/cooldown.db"
    X = np.random.default_rng(0).normal(size=(60, 3))
    task = tasks.from_arrays(X, (X[:, 0] > 0).astype(int), name="half plane", kind="classification")
    return url, compare(task, db=url, workers=1, hidden=(), **ARRAYS)


def test_a_result_has_verdicts_configs_and_a_table(ran: tuple[str, Result]) -> None:
    _, result = ran
    assert (result.name, result.status) == ("half plane", Status.DONE)
    (verdict,) = result.verdicts
    assert verdict.verdict == "undecided"
    assert isinstance(result.best("adam"), TrainConfig)
    assert result.best("momentum+sgdr").schedule.name == "sgdr"
    frame = result.frame()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 4
    assert {"arm", "repeat", "trial", "validation_loss", "adam.learning_rate", "sgdr.period"} <= set(frame.columns)
    assert result.answer.sentence in repr(result)
    with pytest.raises(InputError, match="unknown arm of this experiment 'adm'; did you mean 'adam'"):
        result.best("adm")


def test_load_gives_what_compare_gave(ran: tuple[str, Result]) -> None:
    url, result = ran
    assert load("half plane", db=url).to_json() == result.to_json()
    with pytest.raises(InputError, match="unknown experiment 'half plan'; did you mean 'half plane'"):
        load("half plan", db=url)


def test_comparing_again_changes_nothing(ran: tuple[str, Result]) -> None:
    url, result = ran
    X = np.random.default_rng(0).normal(size=(60, 3))
    same = tasks.from_arrays(X, (X[:, 0] > 0).astype(int), name="half plane", kind="classification")
    assert compare(same, db=url, hidden=(), **ARRAYS).to_json() == result.to_json()
    assert resume("half plane", db=url).to_json() == result.to_json()
    other = tasks.from_arrays(X, (X[:, 1] > 0).astype(int), name="half plane", kind="classification")
    with pytest.raises(InputError, match="experiment 'half plane' exists with other data"):
        compare(other, db=url, name="half plane", hidden=(), **ARRAYS)
    with pytest.raises(
        InputError, match=r"'half plane' exists with other settings \(epochs, seed\).*cooldown delete 'half"
    ):
        compare(same, db=url, name="half plane", hidden=(), **{**ARRAYS, "seed": 3, "epochs": 2})


def test_hidden_layers_reach_a_task_given_as_an_object(ran: tuple[str, Result]) -> None:
    _, result = ran
    with_none = result.record.task_fingerprint
    X = np.random.default_rng(0).normal(size=(60, 3))
    task = tasks.from_arrays(X, (X[:, 0] > 0).astype(int), name="half plane", kind="classification")
    assert with_none == task.with_hidden(()).fingerprint() != task.fingerprint()
    assert result.record.spec["hidden"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": ""}, "name: should be a non-empty string, got ''"),
        ({"name": 3}, "name: should be a non-empty string, got 3"),
        ({"name": "two\nlines"}, "name: should be one line of visible text"),
        ({"name": "-x"}, "name: should not start with '-', got '-x'"),
        ({"name": "x" * 201}, "name: should have at most 200 characters, got 201"),
        ({"workers": 0}, "workers: should be a whole number from 1 to 256, got 0"),
        ({"workers": True}, "workers: should be a whole number from 1 to 256, got True"),
        ({"workers": 1.5}, "workers: should be a whole number from 1 to 256, got 1.5"),
        ({"db": 3}, "db: should be a database URL"),
        ({"trails": 3}, "unknown setting 'trails'; did you mean 'trials'"),
        ({"target": "y"}, "target 'y' is for a CSV or Parquet file"),
        ({"hidden": (0,)}, "hidden[0]: should be greater than or equal to 1, got 0"),
    ],
)
def test_bad_options_leave_no_ledger(options: dict[str, Any], said: str, url: str, tmp_path: Path) -> None:
    for task in ("iris", tasks.get("iris")):
        with pytest.raises(InputError) as raised:
            compare(task, **{"db": url, **options})
        assert said in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_something_else_than_a_task() -> None:
    with pytest.raises(InputError, match="task: should be a valid string"):
        compare(np.ones((3, 3)))  # type: ignore[arg-type]


def test_tune_is_one_joint_arm_once(url: str) -> None:
    given = {key: value for key, value in QUICK.items() if key not in ("task", "arms", "repeats")}
    result = tune("iris", db=url, workers=1, **given)
    (arm,) = result.record.spec["arms"]
    assert result.record.spec["repeats"] == 1
    assert arm.count("+") == 1
    assert {"adam", "momentum"} < set(arm.partition("+")[0].split(","))
    assert result.answer.word == "best found"
    assert str(result.answer).startswith("Best found on iris: ")
    assert result.answer.next is not None
    assert result.answer.next.command == f"cooldown export iris -o best.toml --db {result.record.db}"
    assert result.verdicts == []


PUBLIC = {
    *("compare", "tune", "resume", "load"),
    *("tasks", "train", "descend", "TrainConfig", "optimizers", "schedules", "surfaces"),
}


def test_the_public_names() -> None:
    assert set(cooldown.__all__) >= PUBLIC
    for name in cooldown.__all__:
        assert getattr(cooldown, name) is not None
    assert set(dir(cooldown)) >= PUBLIC
    with pytest.raises(AttributeError, match="has no attribute 'experiments_'"):
        cooldown.experiments_  # noqa: B018
    assert Experiment(task="iris").trials == 16


@pytest.mark.processes
def test_the_public_face_is_loaded_when_it_is_used(tmp_path: Path) -> None:
    loaded = run_python("import sys, cooldown; print('STATUS', sorted(sys.modules))", tmp_path)
    for package in ("numpy", "optuna", "sqlalchemy", "pydantic", "numba", "sklearn"):
        assert f"'{package}'" not in loaded


def run_python(source: str, cwd: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        input=source,
        cwd=cwd,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return next(line for line in done.stdout.splitlines() if "STATUS" in line)


@pytest.mark.processes
def test_a_plain_script_and_a_notebook_with_a_model_of_their_own(tmp_path: Path) -> None:
    """Without a main guard; and typed in, as a notebook has it, where there is no file to import either."""
    source = SCRIPT.format(settings=ARRAYS)
    (tmp_path / "script.py").write_text(source)
    in_script = run_python("", tmp_path, "script.py")
    assert "STATUS done" in in_script
    (tmp_path / "cooldown.db").unlink()
    typed = run_python(f"exec({source!r})\n", tmp_path, "-i", "-q", "-c", "pass")
    assert typed.removeprefix(">>> ") == in_script


def test_an_object_cannot_be_resumed_by_name_and_the_message_says_how(url: str) -> None:
    task = tasks.from_arrays(np.eye(20), np.arange(20) % 2, name="mine", kind="classification")

    class Enough(BaseException):
        pass

    def stop(progress: Any) -> None:
        raise Enough

    with pytest.raises(Enough):
        compare(task, db=url, report=stop, **ARRAYS)
    with pytest.raises(InputError, match=r"task of 'mine' cannot be loaded .*compare\(task, name='mine', ...\)"):
        resume("mine", db=url)
    assert json.dumps(load("mine", db=url).to_json())
    assert compare(task, name="mine", db=url, workers=1, **ARRAYS).status is Status.DONE
