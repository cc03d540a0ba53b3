"""Groups and times from the command to the report: recorded, kept apart, and said to be what the answer is of."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_examples import QUICK
from report_pages import read, told
from search_runs import print_of, run_in_threads, spec

from cooldown import compare, dry_run, load, tasks, tune
from cooldown.objectives.errors import InputError
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

BY_TIME = "All repeats were measured on the latest rows by day: test losses and intervals are about these rows only."
BY_GROUP = "Each repeat was measured on groups of shop that were not trained on: the answer is about new groups."
SETTINGS = {"groups": "shop", "time": "day"}


def sales(n: int = 80, first: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(first)
    size = rng.normal(size=n)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(first + rng.permutation(n), unit="D")
    shops = [f"shop {first + i % 9}" for i in range(n)]
    return pd.DataFrame(
        {"size": size, "shop": shops, "day": days.strftime("%Y-%m-%d"), "sold": size + rng.normal(size=n)}
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = sales()
    table.drop(columns="day").to_csv(tmp_path / "by_shop.csv", index=False)
    table.drop(columns="shop").to_csv(tmp_path / "by_day.csv", index=False)
    table.to_csv(tmp_path / "both.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(setting: str, **changes: Any) -> dict[str, Any]:
    return {"task": f"by_{SETTINGS[setting]}.csv", "target": "sold", setting: SETTINGS[setting], **changes}


def ran(folder: Path, setting: str, **changes: Any) -> ExperimentRecord:
    return run_in_threads(f"sqlite:///{folder}/cooldown.db", spec(**asked(setting), **changes), name="sales")


@pytest.mark.parametrize(("setting", "said"), [("groups", BY_GROUP), ("time", BY_TIME)])
def test_a_spec_says_it_and_so_do_answer_report_and_commands(
    folder: Path, setting: str, said: str, run_here: Any
) -> None:
    record = ran(folder, setting)
    assert record.spec[setting] == SETTINGS[setting]
    assert not {"groups", "time"} & set(spec().to_json()), "older specs stay as they are"
    assert scope(View(record)) == document(View(record))["scope"] == Result(record).scope == said
    words = told(read(report(Result(record))))
    assert words.count(said) == 2, "below the answer and in the protocol"
    expected = (
        "The latest quarter of the others are the validation rows" if setting == "time" else "by whole groups by the"
    )
    assert expected in words
    assert data_options(record.spec) == ["--target=sold", f"--{setting}={SETTINGS[setting]}"]
    assert f'{setting} = "{SETTINGS[setting]}"' in reproduction(record).spec_file
    code, out, _ = run_here("show", "sales")
    assert code == 0
    assert said in " ".join(out.split())


def test_rows_are_split_by_the_column(folder: Path) -> None:
    for setting in SETTINGS:
        given = read_spec(**asked(setting), arms=["adam", "momentum+plateau"], repeats=3)
        splits, table = Splits(task_of(given), given), pd.read_csv(given.task)
        column = table[SETTINGS[setting]].to_numpy()
        for repeat in range(3):
            for seed in splits.seeds(Purpose.SEARCH, repeat):
                rows = splits.task.split(given.seed, repeat, seed)
                train, validation, test = (column[part] for part in rows)
                if setting == "time":
                    assert train.max() < validation.min()
                    assert validation.max() < test.min()
                else:
                    assert len({*train}) + len({*validation}) + len({*test}) == 9


def test_a_configuration_is_trained_again_on_the_same_rows_and_is_no_program(folder: Path, run_here: Any) -> None:
    for setting in SETTINGS:
        record = run_in_threads(f"sqlite:///{folder}/{setting}.db", spec(**asked(setting)), name="sales")
        path = folder / "best.json"
        path.write_text(str(export(View(record), "json").content))
        assert json.loads(path.read_text())["splits"][setting] == SETTINGS[setting]
        again = retrain(path)
        assert (again.difference, again.test_loss) == (0.0, again.recorded_test)
        frame = pd.read_csv(record.spec["task"])
        other = retrain(path, frame, target="sold", **{setting: SETTINGS[setting]})
        assert (other.difference, other.test_loss) == (0.0, again.recorded_test), "the same rows, in memory"
        for format in ("torch", "sklearn"):
            with pytest.raises(InputError, match=f"a program cannot express {setting}; use --format json"):
                export(View(record), format)
        arguments = ["train", str(path), record.spec["task"], "--target", "sold", f"--{setting}", SETTINGS[setting]]
        code, out, _ = run_here(*arguments, "--json")
        assert (code, json.loads(out)["test_loss"]) == (0, again.recorded_test)
    settings = merged_settings("iris", {}, exported=path)
    assert not {"groups", "time", "target"} & set(settings), "of the other task"


def test_the_commands_from_start_to_end(folder: Path, run_here: Any) -> None:
    options = [*QUICK, "--workers", "1", "--quiet", "--json", "--db", "results.db"]
    command = ["compare", "by_day.csv", "--target", "sold", "--time", "day", *options]
    code, out, err = run_here(*command)
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert (shown["spec"]["time"], shown["scope"]) == ("day", BY_TIME)
    assert (folder / "results.db").is_file()
    assert json.loads(run_here(*command)[1]) == shown, "continued, not run again"
    code, out, _ = run_here(
        "resume", "by_day", "--repeats", "3", "--workers", "1", "-q", "--json", "--db", "results.db"
    )
    assert (code, json.loads(out)["spec"]["repeats"]) == (0, 3)
    code, out, _ = run_here(
        *("tune", "by_shop.csv", "--target", "sold", "--groups", "shop", "--trials", "2", "--epochs", "2"),
        *("--repeats", "1", "--seeds", "1", "--confirm-seeds", "2", *options[-6:]),
    )
    assert (code, json.loads(out)["spec"]["groups"]) == (0, "shop")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["iris", "--groups", "shop"],
            "groups 'shop' is for a CSV or Parquet file or for openml:NAME; 'iris' is neither",
        ),
        (
            ["by_shop.csv", "--target", "sold", "--groups", "shpo"],
            "groups: unknown column 'shpo'; did you mean 'shop'?",
        ),
        (["both.csv", "--target", "sold", "--time", "day", "--groups", "shop"], "groups and time are both given"),
        (["by_shop.csv", "--target", "sold", "--time", "shop"], "time 'shop': must hold numbers, or dates such as"),
    ],
)
def test_what_cannot_be_split_so_is_refused_in_one_line(
    folder: Path, run_here: Any, arguments: list[str], said: str
) -> None:
    code, _, err = run_here("compare", *arguments, "-q")
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
    assert not (folder / "cooldown.db").exists(), "nothing was written"


# --- tables in memory and paths


RUN: dict[str, Any] = {
    "workers": 1,
    "arms": ["adam"],
    "trials": 2,
    "repeats": 2,
    "epochs": 1,
    "seeds": 2,
    "finalists": 1,
    "confirm_seeds": 2,
}


def test_a_frame_is_a_task(folder: Path) -> None:
    frame, ledger = pd.read_csv("by_shop.csv"), folder / "in here" / "ledger.db"
    ledger.parent.mkdir()
    run = {"db": ledger, **RUN, "target": "sold", "groups": "shop"}
    result = compare(frame, **run)
    assert ledger.is_file()
    assert result.record.spec["task"] == result.name == "frame"
    assert result.record.spec["groups"] == OWN_TEST
    assert "target" not in {key for key, value in result.record.spec.items() if value is not None}
    assert result.scope == BY_GROUP.replace(" of shop", "")
    again = compare(frame, **run)
    assert (again.name, print_of(again.record)) == (result.name, print_of(result.record)), "continued, not run again"
    of_file = compare(folder / "by_shop.csv", **run)
    assert of_file.record.task_fingerprint == result.record.task_fingerprint
    assert load("frame", db=str(ledger)).name == "frame"
    code = reproduction(result.record).python
    assert "groups=" not in code, "the task brings them"
    del run["arms"], run["repeats"]
    assert tune(frame, name="tuned", arm="adam", **run).record.spec["groups"] == OWN_TEST
    assert dry_run(frame, **{**run, "db": folder / "none.db"}).seconds > 0
    assert not (folder / "none.db").exists()


def test_a_module_that_keeps_groups_and_times_apart(folder: Path) -> None:
    Path("keeps_apart.py").write_text(
        "from cooldown import tasks\n"
        "shops = tasks.from_table('by_shop.csv', target='sold', groups='shop')\n"
        "days = tasks.from_table('by_day.csv', target='sold', time='day')\n"
    )
    for name, setting in (("shops", "groups"), ("days", "time")):
        given = read_spec(task=f"keeps_apart:{name}")
        recorded = with_own_test(given, task_of(given))
        assert recorded.to_json()[setting] == OWN_TEST
        assert with_own_test(recorded, task_of(recorded)) == recorded, "as it is resumed"
    with pytest.raises(InputError, match="time \"the task's own\": task 'by_shop' has no time of its own"):
        task_of(read_spec(task="keeps_apart:shops", time=OWN_TEST))


def test_something_beside_a_frame_is_named(folder: Path) -> None:
    frame = pd.read_csv("by_shop.csv")
    for given, said in (
        ({}, "frame: needs the column to predict as target"),
        ({"target": "soled"}, "frame: unknown column 'soled'; did you mean 'sold'?"),
        ({"target": "sold", "trails": 3}, "unknown setting 'trails'; did you mean 'trials'?"),
    ):
        with pytest.raises(InputError) as raised:
            compare(frame, db=folder / "x.db", **given)
        assert said in str(raised.value)
    with pytest.raises(InputError, match=r"groups 'shop' is for a CSV or Parquet file.*'frame' is a Task object"):
        compare(tasks.from_frame(frame, target="sold"), groups="shop")
    assert not (folder / "x.db").exists()


def test_a_program_scales_each_of_several_targets(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    Y = np.c_[X[:, 0], 1000 * X[:, 1] + 5, np.full(60, 0.1)]
    task = tasks.ArrayTask("three", "regression", lambda: (X, Y), hidden=())
    record = run_in_threads(f"sqlite:///{tmp_path}/c.db", spec(task="three"), name="three", task=task)
    for format in ("torch", "sklearn", "keras", "optax"):
        text = str(export(View(record), format, task=task).content)
        assert "StandardScaler().fit(y" in text
        assert "several targets share one" not in text
