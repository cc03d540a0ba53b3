"""One process runs an experiment at a time; a dead one is replaced, and one that was replaced writes no more."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from typing import Any

import psutil
import pytest
from ledger_examples import change, child_environment, curve, generation, held, rows, study_of
from patience import PATIENCE

from cooldown.storage import LeaseLostError, Ledger, LedgerError, Purpose, Status, StudyKey
from cooldown.storage import writer as writer_module
from cooldown.storage.lease import EXPIRY, HEARTBEAT, is_alive, this_process
from cooldown.storage.writer import Writer

pytestmark = pytest.mark.databases

HOLD = """
import sys
from cooldown.storage import Ledger
with Ledger(sys.argv[1], create=False).hold("digits"):
    print("held", flush=True)
    sys.stdin.read()
"""


def row(ledger: Ledger) -> dict[str, Any]:
    return dict(rows(ledger, "SELECT * FROM cooldown_experiments")[0]._mapping)


def elsewhere(ledger: Ledger, seconds_ago: float) -> None:
    """Make the experiment one that a process on another machine runs, last heard of `seconds_ago`."""
    change(
        ledger,
        "UPDATE cooldown_experiments SET status = 'running', holder_token = 'theirs', heartbeat_at = :at, "
        "holder = :holder",
        holder=json.dumps({"machine": "m", "host": "elsewhere", "pid": 1, "started": 1.0, "token": "theirs"}),
        at=time.time() - seconds_ago,
    )


@pytest.fixture
def digits(ledger: Ledger) -> Ledger:
    ledger.create("digits", {}, "", [StudyKey("adam", 0)])
    return ledger


def holding_child(url: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


@pytest.mark.processes
def test_the_second_process_is_told_who_holds_it(digits: Ledger, url: str) -> None:
    child = holding_child(url)
    try:
        assert digits.load("digits").status is Status.RUNNING
        for use in (digits.delete, lambda name: digits.hold(name).__enter__()):
            with pytest.raises(LedgerError, match=rf"'digits' is being run by process {child.pid} on "):
                use("digits")
    finally:
        child.communicate("")
    assert child.returncode == 0
    assert digits.load("digits").status is Status.INTERRUPTED
    with digits.hold("digits"):
        pass


@pytest.mark.processes
def test_a_holder_that_was_killed_on_this_machine_is_replaced_at_once(digits: Ledger, url: str) -> None:
    child = holding_child(url)
    child.send_signal(signal.SIGKILL)
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.001)
    # Nobody has waited for it: its entry in the table of processes is still there.
    assert digits.load("digits").status is Status.INTERRUPTED
    with digits.hold("digits") as writer:
        assert digits.load("digits").status is Status.RUNNING
        writer.append_generation(study_of(digits), 0, generation(0), {})
    child.communicate()
    assert child.returncode == -signal.SIGKILL


def test_a_process_cannot_hold_an_experiment_twice(digits: Ledger) -> None:
    with digits.hold("digits"), pytest.raises(LedgerError, match=f"by process {os.getpid()}"), digits.hold("digits"):
        pass


def test_two_experiments_are_held_side_by_side(digits: Ledger) -> None:
    digits.create("wine", {}, "", [StudyKey("adam", 0)])
    with digits.hold("digits") as first, digits.hold("wine") as second:
        first.append_generation(study_of(digits), 0, generation(0), {})
        second.append_generation(study_of(digits, "wine"), 0, generation(0), {})
    assert [summary.trials for summary in digits.summaries()] == [4, 4]


def test_a_number_that_another_process_has_by_now_is_not_the_holder() -> None:
    holder = this_process()
    assert is_alive(holder, time.time(), time.time())
    assert not is_alive({**holder, "started": holder["started"] - 5}, time.time(), time.time())
    assert not is_alive(None, time.time(), time.time())


def test_a_holder_whose_process_may_not_be_looked_at_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> float:
        raise psutil.AccessDenied

    holder = this_process()
    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    assert is_alive(holder, None, time.time())


def test_a_clock_that_is_set_anew_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    if not psutil.LINUX:
        pytest.skip("only Linux counts a process's start from the machine's")
    holder, start, boot = this_process(), psutil.Process().create_time(), psutil.boot_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: start + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 3600)
    assert is_alive(holder, None, time.time())


def test_a_holder_elsewhere_is_replaced_when_its_heart_has_stopped(digits: Ledger) -> None:
    assert (EXPIRY, HEARTBEAT < EXPIRY / 3) == (60.0, True)
    elsewhere(digits, seconds_ago=EXPIRY - 5)
    assert digits.load("digits").status is Status.RUNNING
    with pytest.raises(LedgerError, match="by process 1 on elsewhere"), digits.hold("digits"):
        pass
    elsewhere(digits, seconds_ago=EXPIRY + 1)
    assert digits.load("digits").status is Status.INTERRUPTED
    with digits.hold("digits") as writer:
        writer.append_generation(study_of(digits), 0, generation(0), {})
        writer.finish(1)
    assert digits.load("digits").status is Status.DONE


@pytest.mark.parametrize(
    "append",
    [
        lambda writer, study: writer.append_generation(study, 1, generation(1), {"state": 1}),
        lambda writer, study: writer.append_curves(study, Purpose.FINALIST, {study.trials[0].id: [curve(1)]}),
    ],
    ids=["generation", "curves"],
)
def test_a_run_that_was_taken_over_stops_writing(digits: Ledger, append: Callable[[Writer, Any], object]) -> None:
    before: dict[str, Any] = {}

    def run() -> None:
        with digits.hold("digits") as writer:
            study = writer.append_generation(study_of(digits), 0, generation(0), {})
            elsewhere(digits, seconds_ago=0)
            before.update(row(digits))
            append(writer, study)

    with pytest.raises(LeaseLostError, match="another process has taken over the experiment 'digits'"):
        run()
    # Its last words do not count either: the other still runs it.
    assert row(digits) == before
    study = study_of(digits)
    assert (len(study.trials), len(study.curves()), dict(study.sampler_state)) == (4, 8, {})


def test_the_heart_beats_while_the_experiment_is_held(digits: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT", 0.001)
    failures = [LedgerError("the disk is full"), LedgerError("locked")]
    writing = digits._database.writing

    def sometimes_failing(*patience: Any) -> Any:
        if holding and failures:
            raise failures.pop(0)
        return writing()

    holding = False
    monkeypatch.setattr(digits._database, "writing", sometimes_failing)
    with digits.hold("digits"):
        holding = True
        deadline = time.monotonic() + PATIENCE
        # A beat that was under way may still end well: what counts is the one after both failures.
        while failures:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        first = row(digits)["heartbeat_at"]
        while row(digits)["heartbeat_at"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    last = row(digits)
    assert last["holder"] is None
    assert last["holder_token"] is None


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (None, Status.INTERRUPTED, ""),
        (KeyboardInterrupt(), Status.INTERRUPTED, ""),
        (ValueError("training failed: \N{SKULL}"), Status.FAILED, "training failed: \N{SKULL}"),
    ],
)
def test_how_a_run_ended_is_kept(ledger: Ledger, error: BaseException | None, status: Status, message: str) -> None:
    def run() -> None:
        with held(ledger):
            assert ledger.load("digits").status is Status.RUNNING
            if error:
                raise error

    with pytest.raises(type(error)) if error else nullcontext():
        run()
    record = ledger.load("digits")
    assert (record.status, record.message, record.finished_at) == (status, message, None)
    with ledger.hold("digits") as writer:
        assert ledger.load("digits").message == ""
        writer.finish(1)
    record = ledger.load("digits")
    assert record.status is Status.DONE
    assert record.finished_at is not None


def test_a_mistake_of_the_runs_own_is_not_called_the_ledgers(digits: Ledger) -> None:
    with (
        closing(sqlite3.connect(":memory:")) as theirs,
        pytest.raises(sqlite3.OperationalError, match="no such table: theirs"),
        digits.hold("digits"),
    ):
        theirs.execute("SELECT * FROM theirs")
    assert digits.load("digits").status is Status.FAILED
