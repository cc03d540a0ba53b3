"""The documentation is true: its examples run, its commands and options exist, and none is missing."""

import os
import re
import runpy
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from own_module import modules_of

from cooldown.objectives import optimizers, schedules, surfaces, tasks
from cooldown.objectives.strategies import STRATEGIES
from cooldown.search.cli import main
from cooldown.search.cli.frame import command_line
from cooldown.search.export import formats
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import known_arms
from cooldown.search.spec.experiment import read_spec
from cooldown.testing import optimizer_checks, schedule_checks

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
GENERATED = {
    "optimizers.md": optimizers.names(),
    "schedules.md": schedules.names(),
    "strategies.md": list(STRATEGIES),
    "catalog.md": surfaces.names(),
}
"""Pages that are written from the catalog, and the entries that have a section there."""
COMMANDS = command_line().commands
OF_SERVICES = ("--server", "--token")
"""Options that are described once, for all commands that have them."""


def blocks_of(text: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)


def python_blocks() -> list[object]:
    """Those of the catalog's pages, and of the page on exports, are run with what stands around them."""
    return [
        pytest.param(code, id=f"{page.name}-{number}")
        for page in PAGES
        if page.name not in GENERATED and page.name != "export.md"
        for number, code in enumerate(blocks_of(page.read_text()))
    ]


def write_modules(folder: Path) -> None:
    """The examples that begin with the name of a file, for others to import."""
    for page in PAGES:
        for code in blocks_of(page.read_text()):
            if named := re.match(r"# (\w+\.py)\n", code):
                (folder / named[1]).write_text(code)


# What NumPy says of Keras's own tensors.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("code", python_blocks())
def test_python_example_runs(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; that a script needs no main guard is tested in test_python_interface.py. Outside CI, an example
    that needs a framework which is not installed is skipped.
    """
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for framework in re.findall(r"^import (torch|jax|optax|keras)\b", code, re.M):
        if os.environ.get("CI") != "true":
            pytest.importorskip(framework)
    write_modules(tmp_path)
    monkeypatch.delenv("COOLDOWN_DB", raising=False)
    (tmp_path / "example.py").write_text(code)
    with modules_of(tmp_path):
        monkeypatch.syspath_prepend(tmp_path)
        runpy.run_path("example.py", run_name="__main__")


def test_what_the_page_on_extensions_shows_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; that workers find a user's module is tested in search/test_extensions.py."""
    write_modules(tmp_path)
    monkeypatch.delenv("COOLDOWN_DB", raising=False)
    page = (ROOT / "docs" / "extending.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^    (cooldown .*)$", page, re.M)]
    assert len(commands) > 5
    with modules_of(tmp_path):
        for command in commands:
            monkeypatch.setattr(sys, "argv", command)
            with pytest.raises(SystemExit) as ended:
                main()
            assert not ended.value.code, command
        test = runpy.run_path("test_mine.py")["test_it"]
        (parametrized,) = test.pytestmark
        for check in parametrized.args[1]:
            test(check)
    assert len(parametrized.args[1]) == len(optimizer_checks("adam")) + len(schedule_checks("cosine"))
    assert "import mymodule" not in (tmp_path / "best.py").read_text()


def test_the_readme_is_short_and_filled_in() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) < 150
    assert "@@" not in text


def test_there_are_python_examples() -> None:
    assert len(python_blocks()) >= 4


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    section = re.search(rf"^## cooldown {name}\b.*?(?=^## |\Z)", page, re.M | re.S)
    assert section, f"docs/cli.md has no section on {name}"
    # `tune` and `resume` may point to `compare` for options that they share with it.
    shared = page if name == "tune" else section.group()
    commands = getattr(COMMANDS[name], "commands", {}).values() or [COMMANDS[name]]
    for option in {option for command in commands for parameter in command.params for option in parameter.opts}:
        if option.startswith("--") and option != "--help":
            where = page.partition("## Limits")[0] if option in OF_SERVICES else shared
            assert f"`{option}" in where, f"{name} {option} is not in docs/cli.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    for line in re.findall(r"^(?:\$ |    )?cooldown (.*)$", page.read_text(), re.M):
        words = shlex.split(line.split(" #")[0], comments=False)
        if words[0] not in COMMANDS:
            assert words[0].startswith("--"), f"{page.name}: cooldown {line}"
            continue
        command = COMMANDS[words.pop(0)]
        if hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        for word in words:
            if word.startswith("-") and not word.lstrip("-").isdigit():
                assert word.partition("=")[0] in known, f"{page.name}: cooldown {line}"


def test_the_spec_file_in_the_docs_is_read() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    section = page.partition("## A spec file")[2].partition("Its settings")[0]
    spec = read_spec(**tomllib.loads("\n".join(line.removeprefix("    ") for line in section.splitlines())))
    assert spec.ranges["momentum.learning_rate"] == (0.01, 1.0)
    assert spec.hidden == (64,)


@pytest.mark.parametrize("page", [*GENERATED, "claims.md"])
def test_the_catalogs_pages_are_up_to_date(page: str) -> None:
    written = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    assert (ROOT / "docs" / page).read_text() == written["page"](page), "run `make docs`"


def section_of(page: str, name: str) -> str:
    found = re.search(rf"^##+ `{name}`$.*?(?=^## |^### |\Z)", (ROOT / "docs" / page).read_text(), re.M | re.S)
    assert found, f"docs/{page} has no section on {name}"
    return found.group()


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in GENERATED.items() for name in names])
def test_every_entry_has_formula_source_and_an_example_that_runs(
    page: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    section = section_of(page, name)
    catalogs: dict[str, Any] = {"optimizers.md": optimizers, "schedules.md": schedules, "catalog.md": surfaces}
    entry = STRATEGIES[name] if page == "strategies.md" else catalogs[page].get(name)
    assert f"\n    {entry.formula}\n" in section
    if name != "constant":
        assert f"\nSource: {entry.reference}\n" in section
        assert len(entry.reference) > 5
    (code,) = blocks_of(section)
    assert f'"{name}"' in code
    exec(compile(code, f"{page}: {name}", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out
    assert re.search(r"^    cooldown (compare|surface) ", section, re.M), "how to use it from the command line"


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in GENERATED.items() for name in names])
def test_every_hyperparameter_is_documented(page: str, name: str) -> None:
    section = section_of(page, name)
    declared = {
        "optimizers.md": lambda: optimizers.get(name).hyperparameters,
        "schedules.md": lambda: schedules.get(name).hyperparameters,
        "strategies.md": lambda: [STRATEGIES[name].declared],
        "catalog.md": lambda: [],
    }[page]()
    for hyperparameter in declared:
        assert f"| `{hyperparameter.name}` |" in section


@pytest.mark.parametrize("name", [*tasks.names(), *known_arms()])
def test_every_task_and_every_known_arm_is_documented(name: str) -> None:
    rows = [row for row in (ROOT / "docs" / "catalog.md").read_text().splitlines() if row.startswith(f"| `{name}` |")]
    assert len(rows) == 1, f"docs/catalog.md has no row for {name}"
    if name in tasks.names():
        assert "Source: " in rows[0]


@pytest.mark.parametrize(
    ("page", "name"),
    [*(("cli.md", name) for name in samplers.names()), *(("export.md", name) for name in formats.names())],
)
def test_every_sampler_and_every_format_is_documented(page: str, name: str) -> None:
    heading = {"cli.md": "| `--sampler NAME` |", "export.md": "| format | what it is |"}[page]
    table = (ROOT / "docs" / page).read_text().partition(heading)[2]
    rows = table.partition("\n")[0] if page == "cli.md" else table.partition("\n\n")[0]
    assert f"`{name}`" in rows, f"docs/{page} does not name {name!r} in the table with {heading!r}"


PACKAGES = ("whl", "tar.gz", "tgz", "deb")
"""Endings of what an installer downloads."""


def test_the_docs_name_no_download_address() -> None:
    for page in [*PAGES, ROOT / "constraints.txt", ROOT / "pyproject.toml"]:
        text = page.read_text()
        for address in re.findall(r"https?://[^\s)>\"']+", text):
            assert not address.endswith(PACKAGES), f"{page.name} names {address}"
            assert "simple" not in address.split("/"), f"{page.name} names {address}"
        assert "index-url" not in text, page.name


def test_constraints_hold_names_and_versions_only() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!-]+", line), line
