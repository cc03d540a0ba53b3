"""The Export page: every format gives what the command writes, and a message where it cannot be written."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browser import COOLDOWN
from patience import PATIENCE
from search_runs import run_in_threads, spec
from test_pages import Open, fine, words

from cooldown import load
from cooldown.objectives.errors import InputError
from cooldown.search import export as formats
from cooldown.search.evidence.view import View
from cooldown.search.export import ConfigFormat, Exported, ModelFormat, TableFormat, choose

NAME = "a name; rm -rf $HOME/'x'"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = f"sqlite:///{tmp_path_factory.mktemp('export')}/cooldown.db"
    run_in_threads(found, spec(arms=("momentum+cosine", "adam"), epochs=2), name=NAME)
    return found


@pytest.fixture
def app(url: str, open_app: Open) -> Any:
    return fine(open_app(url, "export", experiment=NAME))


def of_kind(kind: type) -> list[str]:
    return [name for name in formats.names() if isinstance(formats.get(name), kind)]


def chosen(app: Any, name: str) -> Any:
    return fine(app.main.selectbox(key="export format").select(name).run())


def test_every_format_is_offered_the_configuration_as_json_first(app: Any) -> None:
    offered = app.main.selectbox(key="export format").options
    assert sorted(offered) == sorted(formats.names())
    assert offered[0] == "json"
    for name in formats.names():
        summary = formats.get(name).summary
        assert f"{summary[1:]}." in words(chosen(app, name)).replace("\\", "")


@pytest.mark.parametrize("name", of_kind(ConfigFormat))
def test_a_configuration_is_that_of_the_command(app: Any, url: str, name: str) -> None:
    record = load(NAME, db=url).record
    best = choose(View(record))
    code, command = chosen(app, name).code
    made = formats.export(View(record), name)
    assert code.value == str(made.content).strip()
    written = formats.get(name)
    assert isinstance(written, ConfigFormat)
    assert code.language == written.language
    assert [info.value.replace("\\", "").lower() for info in app.info] == [f"{each}.".lower() for each in made.remarks]
    told = shlex.split(command.value)
    assert told[:3] == ["cooldown", "export", NAME]
    options = dict(zip(told[3::2], told[4::2], strict=True))
    assert options["--arm"] == best.study.arm
    assert (options["--repeat"], options["--trial"]) == (str(best.study.repeat), str(best.trial.number))
    assert (options["--format"], options["--db"]) == (name, url)
    file = Path(options["-o"])
    assert file.name == str(file)
    assert file.suffix == formats.get(name).suffix
    assert not set(file.name) & set(" ;$'/\\")


@pytest.mark.processes
def test_what_is_told_to_be_typed_writes_what_is_shown(app: Any, tmp_path: Path) -> None:
    code, command = app.code
    typed = [COOLDOWN, *shlex.split(command.value)[1:]]
    done = subprocess.run(typed, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    (file,) = tmp_path.iterdir()
    assert file.read_text().strip() == code.value


def test_another_trial_is_another_configuration(app: Any, url: str) -> None:
    record = load(NAME, db=url).record
    app.main.selectbox(key="export arm").select("adam").run()
    app.main.selectbox(key="export repeat").select(1).run()
    app.main.selectbox(key="export trial").select(3).run()
    made = formats.export(View(record), "json", arm="adam", repeat=1, trial=3)
    assert fine(app).code[0].value == str(made.content).strip()


@pytest.mark.parametrize("name", of_kind(ModelFormat))
def test_a_model_is_trained_by_the_command_that_is_shown(app: Any, url: str, name: str) -> None:
    (command,) = chosen(app, name).code
    told = shlex.split(command.value)
    best = choose(View(load(NAME, db=url).record))
    options = dict(zip(told[3::2], told[4::2], strict=True))
    assert told[:3] == ["cooldown", "export", NAME]
    assert (options["--arm"], options["--trial"]) == (best.study.arm, str(best.trial.number))
    assert (options["--format"], Path(options["-o"]).suffix) == (name, formats.get(name).suffix)


@pytest.mark.parametrize("name", of_kind(TableFormat))
def test_a_table_is_shown_and_may_hold_curves(app: Any, name: str) -> None:
    table = chosen(app, name).dataframe[0].value
    assert {"arm", "repeat", "trial"} <= set(table.columns)
    assert "--curves" not in app.code[0].value
    app.toggle(key="export curves").set_value(True).run()
    assert {"epoch", "train_loss"} <= set(fine(app).dataframe[0].value.columns)
    assert "--curves" in app.code[0].value
    app.main.selectbox(key="export arm").select("adam").run()
    assert set(fine(app).dataframe[0].value["arm"]) == {"adam"}
    assert "--arm adam" in app.code[0].value


def test_what_cannot_be_expressed_is_one_message(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Exported:
        raise InputError("no *such* thing: use another")

    monkeypatch.setattr("cooldown.dashboard.config_files.export", refuse)
    (error,) = fine(app.run()).error
    assert error.value.replace("\\", "") == "no *such* thing: use another"
    assert r"\*such\*" in error.value
    assert "cooldown export" in app.code[0].value


def test_a_task_that_is_a_file_is_not_opened(open_app: Open, tmp_path: Path, opened_files: list[str]) -> None:
    """A ledger may come from anybody: a file, a download or a module that it names is not touched by a server."""
    table, url = tmp_path / "mine.csv", f"sqlite:///{tmp_path}/cooldown.db"
    rows = [f"{number % 7},{number % 5},{number % 2}" for number in range(60)]
    table.write_text("\n".join(["a,b,label", *rows]))
    run_in_threads(url, spec(task=str(table), target="label"), name="of a file")
    opened_files.clear()
    app = fine(open_app(url, "export", experiment="of a file"))
    assert not app.error
    for name in of_kind(ConfigFormat):
        chosen(app, name)
        assert len(app.error) <= 1
        if app.error:
            assert "does not open" in app.error[0].value
    assert not [path for path in opened_files if "mine.csv" in path]
