"""Fixtures of the tests of `search`; what they share otherwise is in search_runs.py."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Tests import what they share from here, in whichever way pytest imports them.
sys.path.insert(0, str(Path(__file__).parent))

from dask_servers import Servers
from own_module import done_in, modules_of
from report_pages import small
from search_runs import SLOW, STUBBORN_TASKS, print_of, sound_ledger, start

from cooldown.search.cli import main
from cooldown.storage import ExperimentRecord, Ledger


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a ledger that is not there yet."""
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture(scope="session")
def small_record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    """An experiment of four arms that is done: what a report is about."""
    return small(f"sqlite:///{tmp_path_factory.mktemp('small')}/cooldown.db")


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with two finished experiments, `one` and `two`, in one file without a log; tests damage copies."""
    return sound_ledger(tmp_path_factory.mktemp("sound") / "sound.db")


@pytest.fixture
def stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the module `stubborn` of slow, deadly and broken tasks, which is the working folder meanwhile."""
    monkeypatch.setenv("TEST_COORDINATOR", str(os.getpid()))
    (tmp_path / "stubborn.py").write_text(STUBBORN_TASKS)
    with modules_of(tmp_path):
        yield tmp_path


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of the experiment SLOW on the slow task, which nobody disturbs."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "stubborn.py").write_text(STUBBORN_TASKS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TEST_COORDINATOR", str(os.getpid()))
        done_in(folder, "compare", "stubborn:slow", *SLOW, "--executor", "inline", "--quiet")
    return print_of(Ledger(f"sqlite:///{folder}/cooldown.db").load("slow"))


@pytest.fixture
def run_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """The `cooldown` command in this process: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["cooldown", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def launch() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """`search_runs.start`; what it has started ends with the test, however that ends."""
    processes: list[subprocess.Popen[str]] = []

    def started(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
        processes.append(start(*arguments, **options))
        return processes[-1]

    yield started
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Dask servers that end with the test."""
    started = Servers()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _no_ledger_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COOLDOWN_DB", raising=False)
