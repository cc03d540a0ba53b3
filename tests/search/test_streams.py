"""The command with standard streams that are closed, full, without a reader, or of a poor encoding."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_examples import NAME, QUICK
from patience import PATIENCE
from search_runs import run_in_threads, spec, surroundings

from cooldown.storage import Ledger, Status

FULL = Path("/dev/full")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full"),
]


def shell(
    redirections: str, *arguments: str, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """The command as a shell starts it with these redirections."""
    command = [sys.executable, "-m", "cooldown", *arguments]
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", *command],
        cwd=cwd,
        env=surroundings(environment),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirections", "code"),
    [(">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full", 1), (">/dev/full 2>&1", 1)],
)
def test_a_run_is_in_the_ledger_whatever_its_streams_are(
    redirections: str, code: int, tmp_path: Path, url: str
) -> None:
    done = shell(redirections, "compare", "iris", *QUICK, "--name", "run", "--workers", "2", cwd=tmp_path)
    assert (done.returncode, b"Traceback" in done.stdout + done.stderr) == (code, False), done.stderr
    record = Ledger(url).load("run")
    assert record.status is Status.DONE
    assert all(study.evaluations for study in record.studies)
    if redirections == ">/dev/full":
        assert b"cooldown: standard output cannot be written: No space left on device" in done.stderr


@pytest.fixture
def ledger(tmp_path: Path, url: str) -> Path:
    run_in_threads(url, spec(), name=NAME)
    return tmp_path


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", [("list",), ("show", NAME, "--json"), ("trials", NAME, "--csv"), ("export", NAME), ("--help",)]
)
def test_output_that_is_lost_is_told(arguments: tuple[str, ...], unbuffered: str, ledger: Path) -> None:
    environment = {"PYTHONUNBUFFERED": unbuffered}
    full = shell(">/dev/full", *arguments, cwd=ledger, environment=environment)
    assert full.returncode == 1
    assert full.stderr == b"cooldown: standard output cannot be written: No space left on device\n"
    closed = shell(">&-", *arguments, cwd=ledger, environment=environment)
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_reader_that_leaves_is_no_fault(ledger: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cooldown", "trials", NAME],
        cwd=ledger,
        env=surroundings(),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_mistakes_keep_their_exit_code_without_streams(ledger: Path) -> None:
    for redirections in ("2>&-", "2>/dev/full", ">&- 2>&-"):
        assert shell(redirections, "show", "nobody", cwd=ledger).returncode == 2


def test_an_experiment_is_deleted_without_stdin(ledger: Path) -> None:
    assert shell("<&-", "delete", NAME, cwd=ledger).returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_characters_that_the_encoding_lacks_are_escaped(encoding: str, ledger: Path) -> None:
    def output(*arguments: str) -> Any:
        done = shell("", *arguments, cwd=ledger, environment={"PYTHONIOENCODING": encoding})
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode(encoding)

    assert ("🎉" in output("list")) == (encoding == "utf-8")
    assert json.loads(output("list", "--json"))[0]["name"] == NAME
    assert json.loads(output("show", NAME, "--json"))["name"] == NAME
    assert output("show", NAME)
