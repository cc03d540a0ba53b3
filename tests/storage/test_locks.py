"""Another program that keeps the ledger locked delays a run; only without a lease does a writer give up."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from ledger_examples import curve, generation, held, study_of
from patience import PATIENCE

from cooldown.storage import LeaseLostError, Ledger, LedgerError, Purpose, Status, StudyKey, backend, database


@pytest.fixture(autouse=True)
def _without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but a lease makes a writer wait: what waits in these tests does so because of it."""
    monkeypatch.setattr(backend, "LOCK_TIMEOUT", 0.0)
    monkeypatch.setattr(backend, "TRY", 0.01)
    monkeypatch.setattr(database, "PAUSE", 0.0)


@pytest.fixture
def other(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """A connection of another program."""
    with closing(sqlite3.connect(ledger.where, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def test_an_append_waits_and_says_so(ledger: Ledger, other: sqlite3.Connection) -> None:
    waited = 0

    def on_wait() -> None:
        nonlocal waited
        waited += 1
        # Longer than any number of tries: the lock is released only because it was told of.
        if waited == 20:
            other.execute("COMMIT")

    with held(ledger) as writer:
        writer.on_wait = on_wait
        other.execute("BEGIN IMMEDIATE")
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        assert waited == 20
        writer.append_curves(study, Purpose.FINALIST, {study.trials[0].id: [curve(21)]})
        assert waited == 20
        # And so does the end of the run.
        writer.finish(1)
        other.execute("BEGIN EXCLUSIVE")
        waited = 10
    assert waited == 20
    assert ledger.load("digits").status is Status.DONE


def test_a_lease_that_was_lost_meanwhile_is_noticed(ledger: Ledger, other: sqlite3.Connection) -> None:
    def taken_over() -> None:
        other.execute("UPDATE cooldown_experiments SET holder_token = 'another'")
        other.execute("COMMIT")

    def run() -> None:
        with held(ledger) as writer:
            writer.on_wait = taken_over
            other.execute("BEGIN IMMEDIATE")
            writer.append_generation(study_of(ledger), 0, generation(0), {})

    with pytest.raises(LeaseLostError):
        run()
    assert not study_of(ledger).trials


def test_an_interrupted_run_does_not_wait_to_say_so(
    ledger: Ledger, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cooldown.storage.writer.RELEASE_TIMEOUT", 0.0)

    def run() -> None:
        with held(ledger) as writer:
            writer.append_generation(study_of(ledger), 0, generation(0), {})
            other.execute("BEGIN IMMEDIATE")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    other.execute("COMMIT")
    assert len(study_of(ledger).trials) == 4


def test_without_a_lease_a_writer_gives_up(ledger: Ledger, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    for write in (
        lambda: ledger.create("new", {}, "", [StudyKey("adam", 0)]),
        lambda: ledger.delete("digits"),
    ):
        with pytest.raises(LedgerError, match="is locked by another program"):
            write()


def test_a_new_ledger_waits_for_whoever_makes_it(ledger: Ledger, other: sqlite3.Connection) -> None:
    """A writer with the usual patience gets the lock as soon as it is free."""
    other.execute("BEGIN IMMEDIATE")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(backend, "LOCK_TIMEOUT", PATIENCE)
        creating = threading.Thread(target=ledger.create, args=("late", {}, "", [StudyKey("adam", 0)]))
        creating.start()
        assert not ledger.summaries()
        other.execute("COMMIT")
        creating.join(PATIENCE)
    assert [summary.name for summary in ledger.summaries()] == ["late"]
