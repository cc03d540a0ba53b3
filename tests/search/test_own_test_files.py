"""A test set of the user's own from the command to the report: recorded, used, and said to be what the answer is of."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_examples import QUICK
from report_pages import read, told
from rich.console import Console
from search_runs import print_of, run_in_threads, spec

from cooldown import compare, load, tasks
from cooldown.objectives.errors import InputError
from cooldown.search.cli import terminal
from cooldown.search.cli.settings import merged_settings
from cooldown.search.evidence.document import document
from cooldown.search.evidence.scope import scope
from cooldown.search.evidence.view import View
from cooldown.search.experiments import Result
from cooldown.search.experiments.retrain import retrain
from cooldown.search.export import export
from cooldown.search.report import report
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.experiment import read_spec
from cooldown.search.spec.task_fields import OWN_TEST, data_options
from cooldown.search.tuning.splits import Splits, task_of, with_own_test
from cooldown.storage import ExperimentRecord, Purpose

SAID = "All repeats were measured on {}: test losses and intervals are about these rows only."


def houses(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    return pd.DataFrame({"size": size, "town": rng.choice(["a", "b"], n), "price": size + rng.normal(size=n)})


def written(folder: Path) -> Path:
    houses(60, 0).to_csv(folder / "houses.csv", index=False)
    houses(30, 1).to_csv(folder / "new houses.csv", index=False)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return written(tmp_path)


GIVEN: dict[str, Any] = {"task": "houses.csv", "target": "price", "test": "new houses.csv"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of an experiment on the files."""
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(written(tmp_path_factory.mktemp("houses")))
        run_in_threads("sqlite:///cooldown.db", spec(**GIVEN), name="houses")
        return Path.cwd() / "cooldown.db"


@pytest.fixture
def record(made: Path, folder: Path) -> ExperimentRecord:
    """The experiment, in a copy of that ledger in this test's folder."""
    shutil.copy(made, folder)
    return load("houses", db=folder / "cooldown.db").record


def printed(record: ExperimentRecord) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        terminal.answer(console, Result(record))
    return captured.get()


# --- the spec


def test_a_spec_is_written_with_a_test_set_only_if_it_has_one(tmp_path: Path) -> None:
    assert "test" not in read_spec(task="iris").to_json()
    with_test = read_spec(**GIVEN)
    assert with_test.to_json()["test"] == "new houses.csv"
    assert read_spec(**json.loads(json.dumps(with_test.to_json()))) == with_test
    path = tmp_path / "spec.toml"
    path.write_text('task = "houses.csv"\ntarget = "price"\ntest = "new houses.csv"\n')
    assert read_spec(**merged_settings(str(path), {})) == with_test
    assert merged_settings(str(path), {"test": "other.csv"})["test"] == "other.csv"
    with pytest.raises(InputError, match="test: should be a valid string, got 3"):
        read_spec(task="iris", test=3)


def test_the_options_of_a_command() -> None:
    assert data_options(read_spec(**GIVEN).to_json()) == ["--target=price", "--test=new houses.csv"]
    assert data_options(read_spec(task="iris", test=OWN_TEST).to_json()) == []


# --- what is run


def test_an_experiment_measures_all_repeats_on_the_file_and_says_so(record: ExperimentRecord, run_here: Any) -> None:
    assert record.spec["test"] == "new houses.csv"
    said = SAID.format("the rows of new houses.csv")
    assert said in printed(record)
    assert document(View(record))["scope"] == Result(record).scope == said
    words = told(read(report(Result(record))))
    assert words.count(said) == 2, "below the answer and in the protocol"
    assert (
        "The test rows of all repeats are those of new houses.csv. Of the others, a quarter are validation rows"
        in words
    )
    assert "Test setnew houses.csv" in words
    assert 'test = "new houses.csv"' in words
    assert "The files must be at these paths, unchanged." in words
    code, out, _ = run_here("show", "houses")
    assert code == 0
    assert said in " ".join(out.split())


def test_rows_are_those_of_the_two_files(folder: Path) -> None:
    given = read_spec(**GIVEN, arms=["adam", "momentum+plateau"], repeats=3)
    splits = Splits(task_of(given), given)
    assert splits.rows(Purpose.SEARCH) == splits.rows(Purpose.EVALUATION) == 45, "because one arm reacts"
    steady = given.model_copy(update={"arms": ("adam",)})
    steady = read_spec(**{**steady.to_json(), "arms": ["adam"]})
    assert Splits(task_of(steady), steady).rows(Purpose.EVALUATION) == 60
    prices = [splits.problems(Purpose.EVALUATION, repeat)[0] for repeat in range(3)]
    tested = [problem.model.y[problem.held_out] for problem in prices]  # type: ignore[attr-defined]
    assert all(np.array_equal(tested[0], other) for other in tested[1:])
    assert len(tested[0]) == 30


def test_an_experiment_without_one_has_nothing_to_say(folder: Path) -> None:
    record = run_in_threads(f"sqlite:///{folder}/c.db", spec(epochs=1), name="iris")
    assert scope(View(record)) is document(View(record))["scope"] is None
    assert "All repeats were measured" not in printed(record) + told(read(report(Result(record))))


def test_protocol_1_has_one_draw_of_test_rows(folder: Path) -> None:
    record = run_in_threads(f"sqlite:///{folder}/c.db", spec(protocol=1), name="iris")
    assert scope(View(record)) == SAID.format("one draw of test rows")


def test_a_search_is_the_same_with_any_test_set(folder: Path, record: ExperimentRecord) -> None:
    houses(20, 2).to_csv("new houses.csv", index=False)
    again = run_in_threads(f"sqlite:///{folder}/again.db", spec(**GIVEN), name="houses")
    losses = [[trial.validation_loss for study in each.studies for trial in study.trials] for each in (record, again)]
    assert losses[0] == losses[1]
    assert print_of(record) != print_of(again)


# --- and run again


def test_a_configuration_is_trained_again_on_the_same_rows(
    folder: Path, record: ExperimentRecord, run_here: Any
) -> None:
    path = folder / "best.json"
    path.write_text(str(export(View(record), "json").content))
    parts = json.loads(path.read_text())["splits"]
    assert (parts["train"], parts["validation"], parts["test_set"]) == (0.75, 0.25, "new houses.csv")
    assert not {"test", "test_random_state"} & set(parts)
    again = retrain(path)
    assert (again.difference, again.test_loss) == (0.0, again.recorded_test)
    # Files that were moved are the same data.
    for old, new in (("houses.csv", "a.csv"), ("new houses.csv", "b.csv")):
        Path(old).rename(new)
    with pytest.raises(InputError, match=r"houses\.csv.*no such file"):
        retrain(path)
    moved = retrain(path, "a.csv", target="price", test="b.csv")
    assert (moved.difference, moved.test_loss) == (0.0, again.recorded_test)
    assert retrain(path, "a.csv", target="price").recorded_test is None
    code, out, _ = run_here("train", str(path), "a.csv", "--target", "price", "--test", "b.csv", "--json")
    assert (code, json.loads(out)["test_loss"]) == (0, again.recorded_test)


def test_from_a_file_asks_for_the_same_rows_unless_the_task_is_another(folder: Path, record: ExperimentRecord) -> None:
    path = folder / "best.toml"
    path.write_text(str(export(View(record), "toml").content))
    assert merged_settings(None, {}, exported=path)["test"] == "new houses.csv"
    assert "test" not in merged_settings("iris", {}, exported=path)
    assert merged_settings("other.csv", {"test": "x.csv"}, exported=path)["test"] == "x.csv"


@pytest.mark.parametrize("which", ["houses.csv", "new houses.csv"])
@pytest.mark.usefixtures("record")
def test_a_changed_file_is_noticed(run_here: Any, which: str) -> None:
    with Path(which).open("a") as file:
        file.write("0.5,a,0.5\n")
    code, _, err = run_here("resume", "houses", "--repeats", "3")
    assert code == 2
    assert "the data of task 'houses' have changed since 'houses' was started" in err
    Path(which).unlink()
    code, _, err = run_here("resume", "houses", "--repeats", "3")
    assert code == 2
    assert "there is no such file" in err


def test_rows_that_are_in_both_files_are_told(folder: Path, run_here: Any) -> None:
    describe = ["describe", "houses.csv", "--target", "price", "--test", "new houses.csv"]
    assert "test row" not in run_here(*describe)[1].partition("Warning")[2]
    both = pd.concat([pd.read_csv("new houses.csv"), pd.read_csv("houses.csv").iloc[3:5]])
    both.to_csv("new houses.csv", index=False)
    said = " ".join(run_here(*describe)[1].split())
    assert "Warning: 2 of 32 test rows are rows to train on, too, with the same features and target." in said
    found = json.loads(run_here(*describe, "--json")[1])
    assert (found["test_rows"], found["repeated_test_rows"]) == (32, 2)


def test_the_commands_from_start_to_end(folder: Path, run_here: Any) -> None:
    options = [*QUICK, "--workers", "1", "--quiet", "--json"]
    command = ["compare", "houses.csv", "--target", "price", "--test", "new houses.csv", *options]
    code, out, err = run_here(*command)
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert (shown["spec"]["test"], shown["scope"]) == ("new houses.csv", SAID.format("the rows of new houses.csv"))
    assert json.loads(run_here(*command)[1]) == shown, "continued, not run again"
    code, out, _ = run_here("resume", "houses", "--repeats", "3", "--workers", "1", "--quiet", "--json")
    assert (code, json.loads(out)["spec"]["repeats"], json.loads(out)["scope"]) == (0, 3, shown["scope"])
    code, out, _ = run_here("tune", *command[1:6], "--trials", "2", "--epochs", "1", *options[-4:], "--seeds", "1")
    assert (code, json.loads(out)["spec"]["test"]) == (0, "new houses.csv")


# --- test rows that a task brings


def mine(**changes: Any) -> tasks.ArrayTask:
    table, test = houses(60, 0), houses(30, 1)
    return tasks.from_arrays(
        table[["size"]], table["price"], test=(test[["size"]], test["price"]), **{"name": "mine", **changes}
    )


def test_a_task_object_that_brings_test_rows_is_recorded_so(tmp_path: Path) -> None:
    url, task = f"sqlite:///{tmp_path}/cooldown.db", mine()
    tiny = {key: value for key, value in spec().to_json().items() if key in ("trials", "repeats", "epochs", "seeds")}
    run = {"db": url, "workers": 1, "arms": ["adam"], "finalists": 1, "confirm_seeds": 2, **tiny}
    result = compare(task, **run)
    assert result.record.spec["test"] == OWN_TEST
    assert result.scope == SAID.format("the task's own test rows")
    again = compare(task, **run)
    assert (again.name, print_of(again.record)) == (result.name, print_of(result.record)), "continued, not run again"
    code = reproduction(result.record).python
    assert "arms=" in code
    assert "test=" not in code, "the task brings them"
    with pytest.warns(UserWarning, match="whose last 30 rows are the test rows"):
        result.export("torch", task=task)
    path = tmp_path / "best.json"
    path.write_text(str(result.export("json")))
    assert json.loads(path.read_text())["splits"]["test_set"] == OWN_TEST
    retrained = retrain(path, task)
    assert retrained.test_loss == retrained.recorded_test
    with pytest.raises(InputError, match="exists with other settings"):
        compare(tasks.from_arrays(houses(60, 0)[["size"]], houses(60, 0)["price"], name="mine"), name="mine", **run)


def test_a_module_that_brings_test_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("brings_test_rows.py").write_text(
        "from cooldown import tasks\n"
        "task = tasks.from_table('houses.csv', target='price', test='new houses.csv')\n"
        "drawn = tasks.from_table('houses.csv', target='price')\n"
    )
    asked = read_spec(task="brings_test_rows:task")
    recorded = with_own_test(asked, task_of(asked))
    assert recorded.to_json()["test"] == OWN_TEST
    assert with_own_test(recorded, task_of(recorded)) == recorded, "as it is resumed"
    without = read_spec(task="brings_test_rows:drawn")
    assert with_own_test(without, task_of(without)) == without
    with pytest.raises(InputError, match="test \"the task's own\": task 'houses' has no test rows of its own"):
        task_of(read_spec(task="brings_test_rows:drawn", test=OWN_TEST))


def test_what_has_no_use_for_a_file_of_test_rows(folder: Path, run_here: Any) -> None:
    for task in ("iris", "openml:iris@1", "some.module:task"):
        code, _, err = run_here("compare", task, "--test", "new houses.csv", "-q")
        assert code == 2
        if ":" not in task:
            assert "test 'new houses.csv' is for a task that is a CSV or Parquet file; 'iris' is none" in err
    with pytest.raises(InputError, match=r"test 'x\.csv' is for a CSV or Parquet file; 'mine' is a Task object"):
        task_of(read_spec(task="mine", test="x.csv"), mine())
    code, _, err = run_here("compare", "houses.csv", "--target", "price", "--test", "houses.csv", "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert "is the file of the training rows" in err
    assert not (folder / "cooldown.db").exists(), "nothing was written"
