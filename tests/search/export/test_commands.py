"""`cooldown export`, `report`, `train` and `compare --from`, as one types them."""

import json
import operator
import re
import runpy
import shlex
import sys
from collections.abc import Callable
from functools import reduce
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives import TrainConfig
from cooldown.search.cli import main
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.experiments.retrain import retrain
from cooldown.search.export import choose
from cooldown.storage import ExperimentRecord

Answer = tuple[int, str, str]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ExperimentRecord]:
    url = f"sqlite:///{tmp_path_factory.mktemp('commands') / 'ledger.db'}"
    return url, run_in_threads(url, spec(epochs=3), name="iris")


@pytest.fixture
def run_here(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ledger: tuple[str, ExperimentRecord],
) -> Callable[[str], Answer]:
    """The `cooldown` command in this process and an empty folder: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("COOLDOWN_DB", ledger[0])
    monkeypatch.chdir(tmp_path)

    def run(arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["cooldown", *shlex.split(arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return run


def test_a_configuration_goes_out_and_comes_back(run_here: Any, ledger: Any, tmp_path: Path) -> None:
    record = ledger[1]
    code, out, err = run_here("export iris")
    assert (code, err) == (0, "")
    assert TrainConfig.from_json(out) == choose(View(record)).config
    assert run_here("export iris --arm adam -o best.toml") == (0, "", "Wrote best.toml.\n")
    code, out, err = run_here("train best.toml")
    assert (code, err) == (0, "")
    curves = choose(View(record), "adam").trial.curves
    for epoch, loss in enumerate(np.mean([c.held_out_loss for c in next(iter(curves.values()))], axis=0), 1):
        row = next(line.split() for line in out.splitlines() if line.split()[:1] == [str(epoch)])
        assert row[-1] == f"{loss:.4f}"
    assert "The validation losses are exactly as recorded." in out
    recorded = np.mean([curve.final_loss for curve in choose(View(record), "adam").study.evaluations])
    assert f"Test loss {recorded:.4f}, accuracy " in out
    assert out.rstrip().endswith(f"recorded {recorded:.4f}.")


def test_every_trial_is_trained_again_to_the_bit(run_here: Any, ledger: Any, tmp_path: Path) -> None:
    for arm, repeat, trial in (("adam", 1, 2), ("momentum+sgdr", 0, 3)):
        run_here(f"export iris --arm {arm} --repeat {repeat} --trial {trial} -o one.json --force")
        found = retrain(tmp_path / "one.json")
        assert found.difference == 0
        assert found.validation_losses[-1] == choose(View(ledger[1]), arm, repeat, trial).trial.validation_loss


def test_on_another_task_the_test_rows_stay_untouched(run_here: Any, tmp_path: Path) -> None:
    run_here("export iris -o best.json")
    code, out, _ = run_here("train best.json wine --json --seeds 2")
    found = json.loads(out)
    assert (code, found["task"], len(found["epochs"]), len(found["seeds"])) == (0, "wine", 3, 2)
    assert (found["test_loss"], found["difference_from_recorded"]) == (None, None)
    (tmp_path / "bare.json").write_text('{"optimizer": "sgd", "epochs": 2}')
    assert "name one, for example `cooldown train bare.json digits`" in run_here("train bare.json")[2]
    assert run_here("train bare.json iris")[0] == 0


def test_what_is_odd_of_a_run_is_told(run_here: Any, tmp_path: Path) -> None:
    """A warm-up of a larger task; data that changed since the experiment."""
    ramped = {"optimizer": "adam", "schedule": {"name": "cosine", "warmup_steps": 500}, "epochs": 3}
    (tmp_path / "ramped.json").write_text(json.dumps(ramped))
    code, out, err = run_here("train ramped.json iris")
    assert (code, "Note: the run of 9 updates ends within its warm-up of 500" in err) == (0, True)
    document = json.loads(run_here("export iris")[1])
    document["task"]["fingerprint"] = "another"
    (tmp_path / "changed.json").write_text(json.dumps(document))
    code, out, err = run_here("train changed.json")
    assert code == 0
    assert "recorded" not in out
    assert err == "Note: the data or the network of iris changed since the experiment: recorded losses do not apply.\n"
    assert run_here("train changed.json wine")[2] == ""
    document = json.loads(run_here("export iris")[1])
    document["config"]["epochs"] = 2
    (tmp_path / "edited.json").write_text(json.dumps(document))
    code, out, err = run_here("train edited.json")
    assert (code, "as recorded" in out) == (0, False)
    assert err == "Note: the configuration has 2 epochs, but 3 are recorded: it was changed.\n"
    assert run_here("compare --from edited.json -q")[0] == 0


def test_an_experiment_is_run_again_from_an_export(run_here: Any, ledger: Any) -> None:
    run_here("export iris -o best.toml")
    code, out, err = run_here("compare --from best.toml --quiet --json")
    assert (code, json.loads(out)["name"]) == (0, "iris"), err
    code, out, err = run_here("compare wine --from best.toml --trials 2 --arm adam --repeats 1 -q --json --name other")
    found = json.loads(out)["spec"]
    assert (code, found["task"], found["arms"], found["trials"]) == (0, "wine", ["adam"], 2), err
    assert found["epochs"] == 3
    assert "missing TASK" in run_here("compare")[2]


def test_tables_and_code(run_here: Any, ledger: Any, tmp_path: Path) -> None:
    assert run_here("export iris -o trials.parquet")[0] == 0
    assert len(pd.read_parquet(tmp_path / "trials.parquet")) == 16
    assert run_here("export iris --curves -o curves.csv")[0] == 0
    assert {"search", "finalist", "evaluation"} == set(pd.read_csv(tmp_path / "curves.csv")["purpose"])
    assert run_here("export iris -f torch -o best.py") == (0, "", "Wrote best.py.\n")
    compile((tmp_path / "best.py").read_text("utf-8"), "best.py", "exec")


def test_a_report(run_here: Any, tmp_path: Path) -> None:
    code, out, err = run_here("report iris")
    assert (code, out, err) == (0, "", "Wrote iris.html. Open it in a browser.\n")
    assert "<h1" in (tmp_path / "iris.html").read_text("utf-8")
    assert "already exists" in run_here("report iris")[2]
    assert run_here("report iris -o iris.html --force")[0] == 0
    code, out, err = run_here("report iris -o -")
    assert (code, err) == (0, "")
    assert out.endswith("</html>\n")
    assert [path.name for path in tmp_path.iterdir()] == ["iris.html"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("export iirs", "unknown experiment 'iirs'; did you mean 'iris'?"),
        ("export iris --arm adm", "unknown arm of this experiment 'adm'; did you mean 'adam'?"),
        ("export iris --format tosch", "unknown format 'tosch'; did you mean 'torch'?"),
        ("export iris --format ''", "unknown format ''"),
        ("export iris -o best.py", "choose the format with --format"),
        ("export iris -f toml -o best.json", "'best.json' has the suffix of json; a toml file ends in .toml"),
        ("export iris -f csv --repeat 9 -o trials.csv", "there is no repeat 9: the experiment has repeats 0, 1"),
        ("export iris -o there.json", "'there.json' already exists: choose another file with -o, or overwrite it with"),
        ("export iris -o nowhere/best.json", "cannot be written: the folder 'nowhere' does not exist"),
        ("export iris -o .", "'.' is a folder"),
        (f"export iris -o {'a' * 300}.json", "File name too long"),
        ("report iirs", "unknown experiment 'iirs'"),
        ("report iris -o there.pdf", "'there.pdf': a report is a web page; use -o there.html"),
        ("train odder.toml", "'odder.toml' is not a configuration written by `cooldown export`: unknown field"),
        ("train nothing.json", "file 'nothing.json': there is no such file"),
        ("train .", "file '.': cannot be read: is a folder, not a file"),
        ("train there.json", "file 'there.json': is not valid JSON: Expecting value"),
        ("train list.json", "file 'list.json': is not a configuration: expected a table, got list"),
        (
            "train newer.json",
            "has schema 2, of a newer version of Cooldown; this version reads schemas up to 1: update",
        ),
        ("train odd.toml", "not an exported configuration: schema 'one'"),
        ("train bare.json iirs", "unknown task 'iirs'; did you mean 'iris'?"),
        ("compare --from bare.json", "'bare.json' contains a configuration, but not the experiment that found it"),
        ("compare --from newer.json", "of a newer version of Cooldown"),
    ],
)
def test_bad_input(arguments: str, said: str, run_here: Any, tmp_path: Path) -> None:
    """One clear message, exit 2, and every file as it was."""
    texts = {
        "there.json": "mine",
        "list.json": "[1]",
        "newer.json": '{"schema": 2, "config": {}}',
        "odd.toml": 'schema = "one"\n[config]\n',
        "odder.toml": "[build-system]\n",
        "bare.json": '{"optimizer": "sgd"}',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    code, out, err = run_here(arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == texts


def full(*arguments: Any, **more: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_a_write_that_fails_leaves_the_old_file(run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so the file system's refusal is played."""
    (tmp_path / "best.json").write_text("mine")
    monkeypatch.setattr(Path, "replace", full)
    code, _, err = run_here("export iris -o best.json --force")
    assert (code, err) == (2, "cooldown: 'best.json' cannot be written: No space left on device\n")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("best.json", "mine")]


def test_a_write_that_fails_leaves_no_part(run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = Path.open

    def opened(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        file = real_open(path, mode, *more, **options)
        if mode == "xb":
            monkeypatch.setattr(type(path), "open", real_open)
            return Full(file)
        return file

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        write = full

    monkeypatch.setattr(Path, "open", opened)
    code, _, err = run_here("export iris -o best.json")
    assert (code, err) == (2, "cooldown: 'best.json' cannot be written: No space left on device\n")
    assert not list(tmp_path.iterdir())


def test_what_stands_around_a_file_is_left_alone(run_here: Any, tmp_path: Path) -> None:
    """Its rights, the link that leads to it, other files, and one whose name is as long as a name may be."""
    (tmp_path / ".best.json.part").write_text("mine")
    for name in ("best.json", f"{'a' * 250}.json"):
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o600)
        (tmp_path / "link.json").symlink_to(name)
        assert run_here("export iris -o link.json --force")[0] == 0
        assert (tmp_path / "link.json").is_symlink()
        assert TrainConfig.from_json((tmp_path / name).read_text("utf-8"))
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        (tmp_path / "link.json").unlink()
    assert (tmp_path / ".best.json.part").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("command", ["export iris -o best.json", "report iris -o best.html"])
def test_a_folder_that_is_not_ours(
    command: str, run_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before the work. Root may write anywhere, so this is played."""
    monkeypatch.setattr("cooldown.search.cli.output.os.access", lambda path, mode: False)
    monkeypatch.setattr("cooldown.search.report.report", full)
    code, _, err = run_here(command)
    assert code == 2
    assert "cannot be written: no write permission in '.'" in err


def test_links_and_devices(run_here: Any, tmp_path: Path) -> None:
    """A link to nothing yet exists, and what it leads to is written; a circle is none; a device is written to."""
    (tmp_path / "link.json").symlink_to("target.json")
    assert "already exists" in run_here("export iris -o link.json")[2]
    assert run_here("export iris -o link.json --force")[0] == 0
    assert TrainConfig.from_json((tmp_path / "target.json").read_text("utf-8"))
    (tmp_path / "circle.json").symlink_to("circle.json")
    code, _, err = run_here("export iris -o circle.json --force")
    assert (code, "cannot be written" in err) == (2, True)
    assert run_here("export iris -f json -o /dev/null --force") == (0, "", "Wrote /dev/null.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle.json", "link.json", "target.json"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("task", "iris", "task: should be a table, got 'iris'"),
        ("curve", [1], "curve: should be a table, got [1]"),
        ("curve.validation_loss", ["a"], "curve.validation_loss[0]: should be a valid number, got 'a'"),
        ("config", [1], "not an exported configuration: config [1]"),
        ("scores", [1], "scores: should be a table, got [1]"),
        ("scores.test_loss", 3, "scores.test_loss: should be a table, got 3"),
        ("repeat", "one", "repeat: should be a valid integer, got 'one'"),
        ("repeat", None, "repeat: should be a valid integer, got None"),
        ("repeat", -1, "repeat: should be greater than or equal to 0, got -1"),
        ("seeds", [1], "seeds: should be a table, got [1]"),
        ("seeds.search", "all", "seeds.search: should be a valid list, got 'all'"),
        ("seeds.evaluation", [-1], "seeds.evaluation[0]: should be greater than or equal to 0, got -1"),
        ("experiment", 3, "experiment: should be a table, got 3"),
        ("experiment.spec", 5, "experiment.spec: should be a table, got 5"),
        ("experiment.spec.arms", ["adm"], "'bad.json': experiment.spec: arms: unknown optimizer 'adm'; did you mean"),
    ],
)
@pytest.mark.parametrize("command", ["train", "compare --from"])
def test_a_document_that_was_spoilt(
    command: str, field: str, value: Any, said: str, run_here: Any, tmp_path: Path
) -> None:
    document = json.loads(run_here("export iris")[1])
    *tables, last = field.split(".")
    reduce(operator.getitem, tables, document)[last] = value
    (tmp_path / "bad.json").write_text(json.dumps(document))
    code, out, err = run_here(f"{command} bad.json")
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_document_that_is_odd(run_here: Any, tmp_path: Path) -> None:
    """Nested deeper than can be read, and saved by an editor that marks UTF-8."""
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert "nested too deeply" in run_here("train deep.json")[2]
    (tmp_path / "marked.json").write_text("\N{BYTE ORDER MARK}" + run_here("export iris")[1], "utf-8")
    assert "exactly as recorded" in run_here("train marked.json")[1]


def test_a_pruned_trial_is_trained_again(tmp_path: Path) -> None:
    """It is compared as far as it got, and trained to its end."""
    given = spec(arms=("momentum",), trials=30, epochs=9, pruner="median", generation=5)
    record = run_in_threads(f"sqlite:///{tmp_path / 'ledger.db'}", given, name="pruned")
    study, trial = next((study, trial) for study in record.studies for trial in study.trials if trial.pruned)
    text = Result(record).export("json", arm="momentum", repeat=study.repeat, trial=trial.number)
    assert isinstance(text, str)
    (tmp_path / "pruned.json").write_text(text)
    found = retrain(tmp_path / "pruned.json")
    assert json.loads(text)["pruned"]
    assert found.was_pruned
    assert found.difference == 0
    assert len(found.recorded) < len(found.validation_losses) == 9


PAGE = (Path(__file__).parents[3] / "docs" / "export.md").read_text("utf-8")


@pytest.mark.skipif(find_spec("torch") is None or find_spec("optax") is None, reason="needs the parity extra")
def test_the_page_on_exports_is_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its lines, one after the other in one folder, as a reader types them; but in this process, and so on one device
    (test_devices.py has two).
    """
    monkeypatch.chdir(tmp_path)
    printed = []
    for block in re.finditer(r"^```python\n(.*?)^```|^    ((?:cooldown|python) [^\n]*)$", PAGE, re.M | re.S):
        code, line = block.groups()
        if code is not None:
            Path("example.py").write_text(code)
        program, *arguments = shlex.split(line or "python example.py")
        if program == "cooldown":
            monkeypatch.setattr(sys, "argv", [program, *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code, line
        else:
            monkeypatch.setattr(sys, "argv", [word for word in arguments if word not in ("--devices", "2")])
            runpy.run_path(arguments[0], run_name="__main__")
        printed.append((line, capsys.readouterr().out))
    assert len(printed) > 15
    assert "as recorded" in dict(printed)["cooldown train best.toml"]
    for framework in ("torch", "optax", "sklearn"):
        assert "test loss" in dict(printed)[f"python best_{framework}.py"]
