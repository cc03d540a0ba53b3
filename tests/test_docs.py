"""The documentation is true: its examples run, its commands and options exist, and none is missing."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from objectives import optimizers, schedules, tasks
from search.cli import app
from search.spec import experiment

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def python_blocks() -> list[object]:
    return [
        pytest.param(code, id=f"{page.name}-{number}")
        for page in PAGES
        for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S))
    ]


@pytest.mark.parametrize("code", python_blocks())
def test_python_example_runs(code: str, tmp_path: Path) -> None:
    # A plain script without a main guard, as the docs promise.
    (tmp_path / "example.py").write_text(code)
    environment = {name: value for name, value in os.environ.items() if name != "COOLDOWN_DB"}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_there_are_python_examples() -> None:
    assert len(python_blocks()) >= 4


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    section = re.search(rf"^## cooldown {name}\b.*?(?=^## |\Z)", page, re.M | re.S)
    assert section, f"docs/cli.md has no section on {name}"
    # `tune` and `resume` may point to `compare` for options that they share with it.
    shared = page if name == "tune" else section.group()
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in shared, f"{name} {option} is not in docs/cli.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    for line in re.findall(r"^(?:\$ |    )?cooldown (.*)$", page.read_text(), re.M):
        words = shlex.split(line.split(" #")[0], comments=False)
        if words[0] not in COMMANDS:
            assert words[0].startswith("--"), f"{page.name}: cooldown {line}"
            continue
        known = {option for parameter in COMMANDS[words[0]].params for option in parameter.opts} | {"--help"}
        for word in words[1:]:
            if word.startswith("-") and not word.lstrip("-").isdigit():
                assert word.partition("=")[0] in known, f"{page.name}: cooldown {line}"


def test_the_spec_file_in_the_docs_is_read() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    section = page.partition("## A spec file")[2].partition("Its settings")[0]
    spec = experiment(**tomllib.loads("\n".join(line.removeprefix("    ") for line in section.splitlines())))
    assert spec.ranges["momentum.learning_rate"] == (0.01, 1.0)
    assert spec.hidden == (64,)


@pytest.mark.parametrize("name", optimizers.names())
def test_every_optimizer_is_documented(name: str) -> None:
    _documented(name, optimizers.get(name).formula, optimizers.get(name).reference)


@pytest.mark.parametrize("name", schedules.names())
def test_every_schedule_is_documented(name: str) -> None:
    _documented(name, schedules.get(name).formula, schedules.get(name).reference)


@pytest.mark.parametrize("name", tasks.names())
def test_every_task_is_documented(name: str) -> None:
    _documented(name)


def _documented(name: str, *texts: str) -> None:
    rows = [row for row in (ROOT / "docs" / "catalog.md").read_text().splitlines() if row.startswith(f"| `{name}` |")]
    assert len(rows) == 1, f"docs/catalog.md has no row for {name}"
    for text in texts:
        assert text in rows[0]


def test_the_docs_name_no_download_address() -> None:
    for page in [*PAGES, ROOT / "constraints.txt", ROOT / "pyproject.toml"]:
        assert not re.search(r"https?://\S+\.(whl|tar\.gz|tgz|deb)|index-url|/simple/", page.read_text()), page.name


def test_constraints_hold_names_and_versions_only() -> None:
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!-]+", line), line
