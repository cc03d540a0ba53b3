"""The command with standard streams that are closed, full, without a reader, or of a poor encoding."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_examples import NAME, QUICK
from covering import covering, in_short
from patience import PATIENCE
from search_runs import one_by_one, run_in_threads, spec, surroundings

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


STREAMS = [(">&-", 0), ("2>&-", 0), ("<&- >&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full", 1), (">/dev/full 2>&1", 1)]


@pytest.mark.parametrize(("redirections", "code"), in_short(STREAMS, [STREAMS[2]]))
def test_a_run_is_in_the_ledger_whatever_its_streams_are(
    redirections: str, code: int, tmp_path: Path, url: str
) -> None:
    done = shell(redirections, "compare", "quadratic", *QUICK, "--name", "run", "--workers", "1", cwd=tmp_path)
    assert (done.returncode, b"Traceback" in done.stdout + done.stderr) == (code, False), done.stderr
    record = Ledger(url).load("run")
    assert record.status is Status.DONE
    assert all(study.evaluations for study in record.studies)
    if redirections == ">/dev/full":
        assert b"cooldown: standard output cannot be written: No space left on device" in done.stderr


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger that is only read."""
    folder = tmp_path_factory.mktemp("streams")
    run_in_threads(f"sqlite:///{folder}/cooldown.db", spec(), name=NAME)
    return folder


LOST = [
    (command, unbuffered, redirection)
    for command in ("list", "show NAME --json", "trials NAME --csv", "export NAME", "--help")
    for unbuffered in ("", "1")
    for redirection in (">/dev/full", ">&-")
]


@pytest.mark.parametrize(
    ("command", "unbuffered", "redirection"), in_short(LOST, covering(LOST, lambda row: [row[0], row[1:]]))
)
def test_output_that_is_lost_is_told(command: str, unbuffered: str, redirection: str, ledger: Path) -> None:
    arguments = [NAME if word == "NAME" else word for word in command.split()]
    done = shell(redirection, *arguments, cwd=ledger, environment={"PYTHONUNBUFFERED": unbuffered})
    if redirection == ">&-":
        assert (done.returncode, done.stderr) == (0, b"")
    else:
        assert done.returncode == 1
        assert done.stderr == b"cooldown: standard output cannot be written: No space left on device\n"


READ = ("trials", "show --json")


@pytest.mark.parametrize("command", in_short(READ, READ[:1]))
def test_a_reader_that_leaves_is_no_fault(command: str, ledger: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "cooldown", *command.split(), NAME],
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
    for redirections in ("2>/dev/full", ">&- 2>&-"):
        assert shell(redirections, "show", "nobody", cwd=ledger).returncode == 2


def test_an_experiment_is_deleted_without_stdin(ledger: Path, tmp_path: Path) -> None:
    shutil.copytree(ledger, tmp_path, dirs_exist_ok=True)
    assert shell("<&-", "delete", NAME, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("encoding", in_short(["ascii", "cp1252", "utf-8"], ["ascii"]))
def test_characters_that_the_encoding_lacks_are_escaped(encoding: str, ledger: Path) -> None:
    commands = (["list"], ["list", "--json"], ["show", NAME, "--json"], ["show", NAME])
    environment = {"PYTHONIOENCODING": encoding}
    (listed, as_json, shown_as_json, shown), err = one_by_one(ledger, environment, *commands, encoding=encoding)
    assert err == ""
    assert ("🎉" in listed) == (encoding == "utf-8")
    assert json.loads(as_json)[0]["name"] == NAME
    assert json.loads(shown_as_json)["name"] == NAME
    assert {"ascii": r"\xb1", "cp1252": "±", "utf-8": "±"}[encoding] + ": standard deviation" in shown
