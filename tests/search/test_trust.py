"""A ledger and a file are data: a module that they name is not imported, unless the command names it or has --trust."""

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from own_module import modules_of
from search_runs import run_in_threads, spec

from cooldown import load, resume
from cooldown.objectives import optimizers, tasks, trust
from cooldown.objectives.trust import UntrustedModuleError, modules_in
from cooldown.search.experiments.retrain import retrain
from cooldown.search.spec.arms import Arm

RunHere = Callable[..., tuple[int, str, str]]

MODULE = """
from dataclasses import replace
from pathlib import Path

from cooldown.objectives import optimizers, tasks

Path(__file__).with_suffix(".imported").touch()
Lion = replace(optimizers.get("momentum"), name="lion", colour="", native={})
flowers = tasks.get("iris")
"""


class Stranger:
    """A folder with the module `stranger`, and with files and a ledger that name it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, f"sqlite:///{folder}/cooldown.db"
        self.mark = folder / "stranger.imported"

    def make(self) -> None:
        """In the working folder."""
        (self.folder / "stranger.py").write_text(MODULE)
        run_in_threads(self.url, spec(arms=("stranger:Lion", "adam"), repeats=1), name="lions")
        run_in_threads(self.url, spec(repeats=1), name="flowers")
        with closing(sqlite3.connect(self.folder / "cooldown.db", isolation_level=None)) as connection:
            connection.execute(
                "UPDATE cooldown_experiments SET spec = json_set(spec, '$.task', 'stranger:flowers') "
                "WHERE name = 'flowers'"
            )
        exported = load("lions", db=self.url).export("json", arm="stranger:Lion")
        assert isinstance(exported, str)
        (self.folder / "best.json").write_text(exported)
        (self.folder / "spec.toml").write_text('task = "iris"\narms = ["stranger:Lion", "adam"]\nepochs = 1\n')

    def forget(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if this process had never imported the module."""
        monkeypatch.delitem(sys.modules, "stranger", raising=False)
        for catalog in (optimizers, tasks):
            monkeypatch.setattr(catalog._catalog, "_imported", {})
        Arm.parse.cache_clear()
        self.mark.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one."""
    folder = tmp_path_factory.mktemp("stranger")
    with modules_of(folder):
        Stranger(folder).make()
    return folder


@pytest.fixture
def stranger(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stranger:
    """A copy of it, for one test."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    copied = Stranger(tmp_path)
    copied.forget(monkeypatch)
    return copied


COMMANDS = [
    ("show", "lions"),
    ("show", "lions", "--json"),
    ("trials", "lions"),
    ("export", "lions"),
    ("report", "lions", "-o", "-"),
    ("resume", "lions", "--repeats", "2"),
    ("resume", "flowers", "--repeats", "2"),
    ("export", "flowers", "--format", "sklearn"),
    ("train", "best.json"),
    ("compare", "--from", "best.json", "--name", "again", "--repeats", "1"),
    ("compare", "spec.toml", "--name", "again", "--dry-run"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_only_a_ledger_or_a_file_names_is_not_imported(
    stranger: Stranger, run_here: RunHere, command: tuple[str, ...]
) -> None:
    code, out, err = run_here(*command)
    assert (code, out) == (2, "")
    said = " ".join(err.split())
    assert "is code in the module 'stranger', which would be imported from " in said
    assert f"{stranger.folder / 'stranger.py'}. It was not imported: " in said
    assert "give --trust" in said
    assert not stranger.mark.exists()
    assert "stranger" not in sys.modules


@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if command[0] in ("show", "trials", "export", "train")], ids=" ".join
)
def test_with_trust_it_is(stranger: Stranger, run_here: RunHere, command: tuple[str, ...]) -> None:
    assert run_here(*command, "--trust")[0] == 0
    assert stranger.mark.exists()


def test_what_the_command_names_is_trusted(stranger: Stranger, run_here: RunHere) -> None:
    arguments = ("--dry-run", "--quiet", "--epochs", "1", "--repeats", "1", "--trials", "2")
    assert run_here("compare", "iris", "--arm", "mine=stranger:Lion", "--arm", "adam", *arguments)[0] == 0
    assert stranger.mark.exists()
    # In the scope of that command, and no longer.
    assert trust._scope.get(None) is None


def test_a_list_and_the_doctor_need_no_module(stranger: Stranger, run_here: RunHere) -> None:
    code, out, _ = run_here("list")
    assert code == 0
    assert "lions" in out
    code, out, _ = run_here("doctor", "--json")
    document = json.loads(out)
    assert [each["experiment"] for each in document["skipped"]] == ["lions"]
    assert "the module 'stranger'" in document["skipped"][0]["message"]
    assert not document["findings"]
    assert run_here("delete", "lions", "--yes")[0] == 0
    assert not stranger.mark.exists()


def test_python_is_asked_for_trust_too(stranger: Stranger, monkeypatch: pytest.MonkeyPatch) -> None:
    for read in (
        lambda: load("lions", db=stranger.url),
        lambda: resume("lions", db=stranger.url, repeats=2),
        lambda: resume("flowers", db=stranger.url, repeats=2),
        lambda: load("flowers", db=stranger.url).export("sklearn"),
        lambda: retrain(stranger.folder / "best.json"),
    ):
        with pytest.raises(UntrustedModuleError, match=r"trust=True in Python"):
            read()
    assert not stranger.mark.exists()
    with (
        pytest.warns(UserWarning, match="cannot express this exactly"),
        pytest.warns(UserWarning, match="cannot load the task's data"),
    ):
        assert load("flowers", db=stranger.url, trust=True).export("sklearn")
    assert stranger.mark.exists()
    stranger.forget(monkeypatch)
    result = load("lions", db=stranger.url, trust=True)
    assert result.best("stranger:Lion").optimizer.name == "stranger:Lion"
    assert stranger.mark.exists()


def test_a_printed_command_has_the_trust_that_it_needs(stranger: Stranger, run_here: RunHere) -> None:
    assert "cooldown export lions --trust" in run_here("show", "lions", "--trust")[1]
    assert "cooldown export flowers --trust" in run_here("show", "flowers")[1], "which needs its task"


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("mine=pkg.inner:Lion,adam+mymodule:wsd", ["pkg.inner", "mymodule"]),
        ("mymodule:Lion.beta1=0.9", ["mymodule"]),
        ("strategy.dropout=0:0.5", []),
        ("openml:iris", []),
        ("sqlite:///a.db", []),
        ("adam+cosine", []),
    ],
)
def test_the_modules_in_a_text(text: str, modules: list[str]) -> None:
    assert modules_in(text) == modules
