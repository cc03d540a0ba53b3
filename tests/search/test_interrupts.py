"""Ctrl-C, SIGTERM and SIGHUP at every moment: one message, exit code 130, no traceback, and nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from covering import in_short
from patience import PATIENCE
from search_runs import ONE_WORKER, children, flags, interrupt, surroundings, trials_so_far, wait_until, wait_until_gone

from cooldown import interrupts
from cooldown.storage import Ledger, Status

pytestmark = pytest.mark.processes

SLOW = [*flags(repeats=2, trials=40, epochs=2), *ONE_WORKER, "--name", "slow"]
COMMANDS = {
    "list": ["list"],
    "show": ["show", "it"],
    "compare": ["compare", "digits"],
    "tune": ["tune", "digits", "--quiet"],
    "dry run": ["compare", "digits", "--dry-run"],
    "resume": ["resume", "it"],
    "submit": ["submit", "digits"],
    "worker": ["worker"],
    "train": ["train", "it.json"],
    "export": ["export", "it"],
    "report": ["report", "it"],
    "catalog": ["catalog"],
    "surface": ["surface", "beale"],
    "check": ["check", "adam"],
    "dashboard": ["dashboard"],
}


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Any]:
    """Starts `python -m cooldown` in a group of its own; whatever it has started ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, before: str = "", environment: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        program = f"{before}\nimport runpy\nrunpy.run_module('cooldown', run_name='__main__')"
        command = ["-c", program] if before else ["-m", "cooldown"]
        started.append(
            subprocess.Popen(
                [sys.executable, *command, *arguments],
                cwd=tmp_path,
                env=surroundings(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                process_group=0,
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


SIGNAL_DURING_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Finder())
"""
"""The signal comes while that module is imported, which is at the same place on every machine."""


IMPORTED = ("typer", "cooldown.search.cli.running", "rich.console")
DURING_IMPORTS = [(module, command) for command in COMMANDS for module in IMPORTED]


@pytest.mark.parametrize(
    ("module", "command"),
    in_short(DURING_IMPORTS, zip(IMPORTED, ("compare", "list", "dashboard"), strict=True)),
)
def test_ctrl_c_during_the_imports(module: str, command: str, begin: Any, tmp_path: Path) -> None:
    before = SIGNAL_DURING_IMPORT.format(module=module, signal="SIGINT")
    out, err = (process := begin(*COMMANDS[command], before=before)).communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_are_told_in_the_same_way(name: str, begin: Any) -> None:
    # The tests themselves may run under `nohup`, which a process would inherit.
    before = f"import signal\nsignal.signal(signal.{name}, signal.SIG_DFL)\n"
    before += SIGNAL_DURING_IMPORT.format(module="sqlalchemy", signal=name)
    out, err = (process := begin("list", before=before)).communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "Interrupted.\n")


def test_what_is_to_be_ignored_is_ignored(begin: Any) -> None:
    """As `nohup` and a shell's `&` ask for."""
    before = "import signal\n"
    for name in ("SIGHUP", "SIGINT"):
        before += f"signal.signal(signal.{name}, signal.SIG_IGN)\n"
        before += SIGNAL_DURING_IMPORT.format(module="sqlalchemy", signal=name)
    process = begin("list", before=before)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, ""), out


@pytest.fixture
def slow(tmp_path: Path, begin: Any) -> Any:
    """A comparison that has begun to train."""
    url = f"sqlite:///{tmp_path}/cooldown.db"
    process = begin("compare", "digits", *SLOW)
    wait_until(lambda: trials_so_far(url) > 0, "it trains", process)
    return process


# `test_a_second_ctrl_c_while_it_stops` sends SIGINT to the group, `test_struck_and_resumed` SIGTERM to the process.
STRIKES = [(os.kill, signal.SIGTERM), (os.killpg, signal.SIGHUP)]


@pytest.mark.parametrize(("strike", "number"), in_short(STRIKES, []))
def test_a_signal_to_it_or_to_its_group_says_how_to_resume(strike: Any, number: int, slow: Any, tmp_path: Path) -> None:
    workers = children(slow)
    strike(slow.pid, number)
    out, err = slow.communicate(timeout=PATIENCE)
    assert (slow.returncode, out) == (130, "")
    assert err.endswith("Interrupted. Finished work is kept; continue with:\n  cooldown resume slow\n")
    assert "Traceback" not in err
    wait_until_gone(workers)
    assert Ledger(f"sqlite:///{tmp_path}/cooldown.db").load("slow").status is Status.INTERRUPTED


def test_a_second_ctrl_c_while_it_stops(slow: Any, tmp_path: Path) -> None:
    """At any moment between the first and the end, of which these are some: the message comes once."""
    workers = children(slow)
    for _ in range(20):
        if slow.poll() is None:
            interrupt(slow)
        time.sleep(0.01)
    out, err = slow.communicate(timeout=PATIENCE)
    assert (slow.returncode, out) == (130, "")
    assert err.count("Interrupted. Finished work is kept; continue with:\n  cooldown resume slow\n") == 1
    assert "Traceback" not in err
    wait_until_gone(workers)
    assert Ledger(f"sqlite:///{tmp_path}/cooldown.db").load("slow").status is Status.INTERRUPTED


TWICE = """
import os, signal, time
from cooldown import interrupts
interrupts.install()
interrupts.say_when_asked("Stopped: {moment}.")
try:
    with interrupts.orderly():
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            if {again}:
                os.kill(os.getpid(), signal.SIGINT)
            print("in order", flush=True)
except KeyboardInterrupt:
    assert interrupts.was_asked()
    interrupts.tell()
    interrupts.tell()
    raise SystemExit(interrupts.EXIT_CODE)
"""


@pytest.mark.parametrize(("again", "printed"), [(False, "in order\n"), (True, "")])
def test_the_first_signal_puts_in_order_and_the_second_ends(again: bool, printed: str) -> None:
    program = TWICE.format(moment="here", again=again)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (130, printed, "Stopped: here.\n")


def test_as_a_library_no_handler_is_changed() -> None:
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    with interrupts.orderly():
        assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before


def server_of(process: "subprocess.Popen[str]") -> psutil.Process:
    """The dashboard's server, as soon as it is started: it may still be importing."""
    found: list[psutil.Process] = wait_until(lambda: children(process), "the server is started", process)
    return found[0]


ENDINGS = [
    (number, listening)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
    for listening in (True, False)
]
"""Each way to end the command, while its server starts and when it listens."""


@pytest.mark.parametrize(
    ("number", "listening"),
    in_short(ENDINGS, [(signal.SIGINT, True), (signal.SIGKILL, False)]),
)
def test_the_dashboards_server_ends_with_it(number: int, listening: bool, begin: Any) -> None:
    process = begin("dashboard", "--port", _free_port())
    server = server_of(process)
    if listening:
        said = process.stderr.readline()
        assert re.match(r"The dashboard of sqlite:///cooldown.db is at http://127.0.0.1:\d+ ", said)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    wait_until_gone([server])
    assert out == ""
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert (process.returncode, err) == (130, "Dashboard stopped.\n")


def _free_port() -> str:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])
