"""Help, lists and reading an experiment load no package that takes long to import and that only running one needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from search_runs import run_in_threads, spec, surroundings

from cooldown.search.evidence import SECTIONS

HEAVY = ("numba", "optuna", "sklearn", "scipy.stats", "pandas", "streamlit", "torch")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A ledger whose experiment has enough trials for importances, and one of a joint arm."""
    url = f"sqlite:///{tmp_path_factory.mktemp('modules')}/cooldown.db"
    arms = ("momentum,adam+constant,cosine", "momentum", "momentum+sgdr", "adam", "adam+sgdr")
    run_in_threads(url, spec(arms=arms, trials=12, repeats=2), name="tiny")
    run_in_threads(url, spec(arms=("adam",), epochs=1), name="one arm")
    return url


@pytest.mark.processes
@pytest.mark.parametrize("command", [["--help"], ["compare", "--help"], ["list"], ["catalog"], ["catalog", "--json"]])
def test_quick_commands_load_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    assert loaded(command, tmp_path) == "[] 0\n"


@pytest.mark.parametrize(
    "command",
    [
        ["list"],
        ["show", "one arm"],
        ["show", "tiny"],
        ["show", "tiny", "--json"],
        *(["show", "tiny", section] for section in SECTIONS),
    ],
    ids=lambda command: " ".join(command[1:]),
)
def test_showing_an_experiment_loads_nothing_heavy(command: list[str], url: str, tmp_path: Path) -> None:
    assert loaded([*command, "--db", url], tmp_path) == "[] 0\n"


def test_a_report_loads_nothing_heavy(url: str, tmp_path: Path) -> None:
    assert loaded(["report", "tiny", "-o", "report.html", "--db", url], tmp_path).endswith("[] 0\n")


def loaded(command: list[str], folder: Path) -> str:
    """What a command says on stderr, and then what it has loaded of `HEAVY`, and its exit code."""
    program = (
        f"import sys; sys.argv = ['cooldown', *{command!r}]\n"
        "from cooldown.search.cli import main\n"
        "try: main()\n"
        f"except SystemExit as end: print([m for m in {HEAVY!r} if m in sys.modules], end.code, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=surroundings(), capture_output=True, text=True, check=True
    )
    return done.stderr
