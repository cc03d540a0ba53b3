"""Help, lists and reading an experiment load no package that takes long to import and that only running one needs."""

import json
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
def test_quick_commands_and_reading_an_experiment_load_nothing_heavy(url: str, tmp_path: Path) -> None:
    quick = [["--help"], ["compare", "--help"], ["list"], ["catalog"], ["catalog", "--json"]]
    shown = [
        ["one arm"],
        ["tiny"],
        ["tiny", "--json"],
        *(["tiny", section] for section in SECTIONS if section != "generalization"),
    ]
    commands = [["list"], *(["show", *each] for each in shown), ["report", "tiny", "-o", "report.html"]]
    assert_light([*quick, *([*command, "--db", url] for command in commands)], tmp_path)


PROGRAM = """
import json
import sys
from cooldown.search.cli import main

heavy, commands = json.loads(sys.argv[1])
done = []
for command in commands:
    sys.argv = ["cooldown", *command]
    try:
        main()
    except SystemExit as end:
        done.append([command, end.code, [module for module in heavy if module in sys.modules]])
print(json.dumps(done), file=sys.stderr)
"""


def assert_light(commands: list[list[str]], folder: Path) -> None:
    """Run commands one after the other in a new process: they succeed, and none of `HEAVY` is loaded after any."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([HEAVY, commands])],
        cwd=folder,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stderr.splitlines()[-1]) == [[command, 0, []] for command in commands]
