"""The commands under a report's Reproduction ask for the same experiment again."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_pages import read, told

from cooldown.objectives import tasks
from cooldown.search.cli import frame
from cooldown.search.cli.settings import merged_settings
from cooldown.search.report import report
from cooldown.search.report.commands import reproduction
from cooldown.search.spec.arms import joint_arm
from cooldown.search.spec.experiment import Experiment, read_spec
from cooldown.storage import ExperimentRecord


@pytest.fixture(scope="module")
def record(small_record: ExperimentRecord) -> ExperimentRecord:
    return small_record


class AskedError(Exception):
    """What the command line would have compared."""


def typed(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Experiment, str | None]:
    """The spec and the name that a command asks for, as the command line reads it."""
    import shlex

    def compare(**given: Any) -> None:
        raise AskedError(given)

    monkeypatch.setattr("cooldown.search.experiments.compare", compare)
    monkeypatch.chdir(folder)
    program, *words = shlex.split(command)
    assert program == "cooldown"
    with pytest.raises(AskedError) as asked:
        frame.command_line().main(words, standalone_mode=False)
    given = {key: value for key, value in asked.value.args[0].items() if value is not None and key != "report"}
    name = given.pop("name", None)
    return read_spec(**{key: value for key, value in given.items() if key in Experiment.model_fields}), name


@pytest.mark.parametrize(
    "given",
    [
        {"task": "digits"},
        {"task": "wine", "arms": ("mine=momentum,nag+cosine,sgdr", "adam"), "trials": 7, "repeats": 2, "seed": 2**62},
        {"task": "data/my table's.csv", "target": "--x", "hidden": (64, 32), "batch_size": 8, "sampler": "qmc"},
        {"task": "-odd.csv", "target": "ünï $HOME", "hidden": (), "epochs": 3, "pruner": "median", "seeds": 1},
        {"task": "a.csv", "target": "y", "test": "new rows, 2nd.csv"},
        {"task": "a.csv", "target": "y", "test": "-odd.csv", "generation": 3},
        {"task": "openml:iris@1", "finalists": 2, "confirm_seeds": 4},
        {"task": "wine", "arms": ("mine=adam", "momentum"), "primary": ("mine=adam", "momentum"), "margin": 0.05},
        {"task": "wine", "primary": ("adam", "momentum"), "finalist_seeds": 3},
        {"task": "package.module:task", "finalist_seeds": 3, "generation": 2},
        {"task": "digits", "arms": (joint_arm(),), "repeats": 1},
        {"task": "digits", "arms": (joint_arm(),), "repeats": 3, "trials": 9},
        {
            "task": "digits",
            "ranges": {
                "momentum.learning_rate": [1e-7, 0.1 + 0.2],
                "adam.epsilon": 1e-10,
                "strategy.batch_norm": True,
                "strategy.shuffle": [True, False],
                "strategy.initialization": ["he", "poor"],
            },
        },
        {"task": 'q"uo\\te\n.csv', "target": "\u2028 é", "generation": 3, "ranges": {"adam.beta1": [0.1, 0.5]}},
    ],
)
def test_the_command_asks_for_the_same_experiment(
    record: ExperimentRecord, given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = read_spec(**given)
    made = replace(record, name="it's one", spec=wanted.to_json())
    found = reproduction(made)
    assert not found.python
    (command,) = found.commands
    if found.spec_file:
        assert {"finalist_seeds", "generation"} & set(given)
        (tmp_path / "spec.toml").write_text(found.spec_file, encoding="utf-8")
    assert typed(command, tmp_path, monkeypatch) == (wanted, "it's one")


def test_an_experiment_that_grew_is_told_step_by_step(
    record: ExperimentRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = read_spec(task="digits", trials=8, repeats=2)
    wider = {"adam": [{"adam.learning_rate": [1e-6, 0.1]}]}
    spec = {**began.to_json(), "trials": 16, "repeats": 4, "widened": wider}
    steps = ({"trials": 8, "repeats": 2}, {"widened": None})
    made = replace(record, name="digits", spec=spec, extended_from=steps)
    first, *rest = reproduction(made).commands
    assert typed(first, tmp_path, monkeypatch) == (began, "digits")
    assert rest == ["cooldown resume digits --trials 16 --repeats 4", "cooldown resume digits --extend"]
    words = told(read(report(made)))
    assert "trials (8 before) and repeats (2 before), then wider ranges" in words
    assert "adam.learning_rate: 1e-06 to 0.1" in words


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("digits", "built-in"),
        ("openml:iris", "OpenML"),
        ("a/b.csv", "table"),
        ("module:task", "module"),
        ("mine", "object"),
        ("my data: two", "object"),
        ("</script>", "object"),
        ("spec.toml", "object"),
    ],
)
def test_where_a_task_comes_from(task: str, kind: str) -> None:
    assert tasks.origin(task) == kind


def test_a_task_of_pythons_is_given_again(record: ExperimentRecord) -> None:
    made = replace(record, spec={**record.spec, "task": "my data"})
    given: dict[str, Any] = {}
    code = reproduction(made).python.replace("from cooldown import compare", "")
    exec(code, {"compare": lambda task, name, **rest: given.update(rest, name=name), "task": None})
    assert given.pop("name") == "small one"
    assert read_spec(task="my data", **given) == read_spec(**made.spec)


def test_a_spec_file_is_what_the_command_line_reads(record: ExperimentRecord, tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(reproduction(record).spec_file)
    assert tomllib.loads(path.read_text())["finalist_seeds"] == record.spec["finalist_seeds"]
    assert read_spec(**merged_settings(str(path), {})) == read_spec(**record.spec)
