"""The queue: who takes what, and in which order; what is asked of a run; what a lost worker leaves."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ledger_examples import change, curve, generation, rows, study_of

from cooldown.objectives.errors import InputError
from cooldown.storage import Change, GivenBackError, Ledger, LedgerError, Purpose, Queue, Status, StudyKey, Terms
from cooldown.storage import writer as writer_module
from cooldown.storage.copying import copy_experiment
from cooldown.storage.lease import EXPIRY
from cooldown.storage.queue import MOST_REQUEUES
from cooldown.storage.terms import MOST_PRIORITY

pytestmark = pytest.mark.databases


@pytest.fixture
def queue(ledger: Ledger) -> Queue:
    return Queue(ledger)


def add(ledger: Ledger, name: str = "digits", priority: int = 0, **terms: Any) -> str:
    """An experiment in the queue."""
    wanted = Terms(priority=priority, **terms)
    return ledger.create(name, {}, "", [StudyKey("adam", 0)], terms=wanted, queued=True)


def status(ledger: Ledger, name: str = "digits") -> Status:
    return ledger.load(name).status


def drained(queue: Queue) -> list[str]:
    """The names of what is in the queue, in the order in which a worker takes and finishes them."""
    names = []
    while True:
        with queue.claimed() as writer:
            if writer is None:
                return names
            names.append(writer.lease.name)
            writer.finish(1)


def lose(ledger: Ledger, name: str = "digits", seconds_ago: float = EXPIRY + 1) -> None:
    """Have a worker on another machine run the experiment that was last heard of so long ago."""
    holder = {"machine": "m", "host": "elsewhere", "pid": 1, "started": 1.0, "token": "theirs"}
    change(
        ledger,
        "UPDATE cooldown_experiments SET status = 'running', holder_token = 'theirs', heartbeat_at = :at, "
        "holder = :holder WHERE name = :name",
        holder=json.dumps(holder),
        at=time.time() - seconds_ago,
        name=name,
    )


def test_higher_priorities_first_then_first_in(ledger: Ledger, queue: Queue) -> None:
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", -3), ("e", 5)):
        add(ledger, name, priority)
    assert [each.status for each in ledger.summaries()] == [Status.QUEUED] * 5
    assert queue.edit("c", lambda terms: replace(terms, priority=9)).terms.priority == 9
    assert drained(queue) == ["c", "b", "e", "a", "d"]
    assert {each.status for each in ledger.summaries()} == {Status.DONE}


def test_what_is_put_back_in_the_queue_is_last(ledger: Ledger, queue: Queue) -> None:
    for name in ("a", "b"):
        add(ledger, name)
    queue.request("a", Change.PAUSE)
    queue.put("a")
    assert drained(queue) == ["b", "a"]


def test_the_next_one_is_found_by_the_index(path: Path) -> None:
    """However many there are. A server plans by what its tables hold."""
    plan = rows(
        Ledger(f"sqlite:///{path}"),
        "EXPLAIN QUERY PLAN SELECT * FROM cooldown_experiments WHERE status = 'queued' "
        "ORDER BY priority DESC, queued_at, id LIMIT 1",
    )
    assert [step.detail for step in plan] == [
        "SEARCH cooldown_experiments USING INDEX ix_cooldown_experiments_queue (status=?)"
    ]


def test_many_workers_take_each_once(url: str, ledger: Ledger) -> None:
    names = {add(ledger, f"number {number}") for number in range(24)}

    def work(_worker: int) -> list[str]:
        return drained(Queue(Ledger(url)))

    with ThreadPoolExecutor(4) as workers:
        taken = [name for names in workers.map(work, range(4)) for name in names]
    assert sorted(taken) == sorted(names)


def test_what_a_worker_takes_is_nobody_elses(ledger: Ledger, queue: Queue) -> None:
    add(ledger)
    with queue.claimed() as writer:
        assert writer is not None
        assert status(ledger) is Status.RUNNING
        with queue.claimed() as other:
            assert other is None
        with pytest.raises(LedgerError, match="is being run by process"):
            ledger.hold("digits").__enter__()
        assert queue.put("digits") is Status.RUNNING
    # Given back before its end, it waits in its place.
    record = ledger.load("digits")
    assert (record.status, record.message) == (Status.QUEUED, "")
    with queue.claimed(left_alone=[record.id]) as none:
        assert none is None


@pytest.mark.parametrize(
    ("error", "after", "message"),
    [
        (GivenBackError("rounds in another way"), Status.QUEUED, "rounds in another way"),
        (ValueError("bad"), Status.FAILED, "bad"),
    ],
)
def test_an_error_of_the_experiment_or_of_the_machine(
    ledger: Ledger, queue: Queue, error: Exception, after: Status, message: str
) -> None:
    add(ledger)

    def run() -> None:
        with queue.claimed():
            raise error

    with pytest.raises(type(error)):
        run()
    record = ledger.load("digits")
    assert (record.status, record.message) == (after, message)


def test_an_experiment_that_is_run_here_is_no_matter_of_workers(ledger: Ledger, queue: Queue) -> None:
    add(ledger)
    with ledger.hold("digits"):
        assert ledger.load("digits").queue.since is None
    assert status(ledger) is Status.INTERRUPTED
    lose(ledger)
    assert status(ledger) is Status.INTERRUPTED
    assert drained(queue) == []


AFTER = [(Change.PAUSE, Status.PAUSED), (Change.STOP, Status.STOPPED), (Change.CANCEL, Status.CANCELLED)]


@pytest.mark.parametrize(("asked", "after"), AFTER)
def test_a_change_of_what_waits_is_made_at_once(ledger: Ledger, queue: Queue, asked: Change, after: Status) -> None:
    add(ledger)
    assert queue.request("digits", asked) is after
    assert queue.request("digits", asked) is after
    assert status(ledger) is after
    assert drained(queue) == []
    assert queue.put("digits") is Status.QUEUED
    assert drained(queue) == ["digits"]
    with pytest.raises(LedgerError, match=f"'digits' is done: there is nothing to {asked.value}"):
        queue.request("digits", asked)


@pytest.mark.parametrize(("asked", "after"), AFTER)
@pytest.mark.parametrize("from_queue", [True, False])
def test_a_run_reads_what_it_is_asked_for(
    ledger: Ledger, queue: Queue, asked: Change, after: Status, from_queue: bool
) -> None:
    add(ledger)
    with queue.claimed() if from_queue else ledger.hold("digits") as writer:
        assert writer is not None
        assert writer.ending() is None
        assert queue.request("digits", asked) is Status.RUNNING
        assert ledger.load("digits").queue.requested is asked
        writer.append_generation(study_of(ledger), 0, generation(0), {})
        ending = writer.ending()
        assert ending is not None
        assert (ending.status, ending.at_once) == (after, asked is Change.CANCEL)
        writer.outcome = ending
    record = ledger.load("digits")
    assert (record.status, record.queue.requested, len(record.studies[0].trials)) == (after, None, 4)


def test_the_heart_reads_it_too(ledger: Ledger, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "HEARTBEAT", 0.001)
    add(ledger)
    with queue.claimed() as writer:
        assert writer is not None
        queue.request("digits", Change.STOP)
        while writer.ending() is None:
            threading.Event().wait(0.001)


def test_what_is_asked_at_the_last_moment_counts(ledger: Ledger, queue: Queue) -> None:
    """Also if the run had no time to read it; but not if there was nothing left to do."""
    for name, finished, after in (("a", False, Status.PAUSED), ("b", True, Status.DONE)):
        add(ledger, name)
        with queue.claimed() as writer:
            assert writer is not None
            queue.request(name, Change.PAUSE)
            if finished:
                writer.finish(1)
        assert status(ledger, name) is after


def test_a_pause_is_withdrawn(ledger: Ledger, queue: Queue) -> None:
    add(ledger)
    with queue.claimed() as writer:
        assert writer is not None
        queue.request("digits", Change.PAUSE)
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        writer.outcome = writer.ending()
        assert queue.put("digits") is Status.RUNNING
        writer.append_generation(study, 1, generation(1), {})
        assert writer.ending() is None
    # It has come to its edge before it read that.
    assert status(ledger) is Status.QUEUED


def test_a_lost_worker_leaves_its_experiment_in_its_place(ledger: Ledger, queue: Queue) -> None:
    for name in ("first", "second"):
        add(ledger, name)
    lose(ledger, "first", EXPIRY - 5)
    assert status(ledger, "first") is Status.RUNNING
    lose(ledger, "first")
    assert status(ledger, "first") is Status.QUEUED
    assert drained(queue) == ["first", "second"]
    assert [each.queue.requeues for each in ledger.summaries()] == [0, 1]


def test_what_kills_every_worker_fails_and_the_queue_goes_on(ledger: Ledger, queue: Queue) -> None:
    add(ledger, "deadly", priority=9)
    add(ledger, "harmless")
    for number in range(MOST_REQUEUES):
        lose(ledger, "deadly")
        with ExitStack() as stack:
            writer = stack.enter_context(queue.claimed())
            assert writer is not None
            assert (writer.lease.name, ledger.load("deadly").queue.requeues) == ("deadly", number + 1)
    lose(ledger, "deadly")
    assert drained(queue) == ["harmless"]
    record = ledger.load("deadly")
    assert record.status is Status.FAILED
    assert record.message == (
        "its worker was lost 4 times, the last time process 1 on elsewhere; is there enough memory?"
    )
    # Its user may have made room.
    queue.put("deadly")
    assert ledger.load("deadly").queue.requeues == 0
    assert drained(queue) == ["deadly"]


@pytest.mark.parametrize(("asked", "after"), AFTER)
def test_what_a_lost_worker_was_asked_for_is_done(ledger: Ledger, queue: Queue, asked: Change, after: Status) -> None:
    add(ledger)
    with queue.claimed():
        queue.request("digits", asked)
        lose(ledger)
        assert drained(queue) == []
        assert status(ledger) is after


def test_a_process_that_is_to_end_gives_it_back(ledger: Ledger, queue: Queue) -> None:
    for name, hold, after in (("a", queue.claimed, Status.QUEUED), ("b", lambda: ledger.hold("b"), Status.INTERRUPTED)):
        add(ledger, name)
        with hold() as writer:
            assert writer is not None
            writer.draining.set()
            writer.outcome = writer.ending()
        assert status(ledger, name) is after
        ledger.delete(name)


def test_a_copy_waits_in_the_queue_of_its_ledger(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(f"sqlite:///{tmp_path}/other.db")
    for name, lost in (("waiting", False), ("lost", True)):
        add(ledger, name, 3, tags=("red",))
        if lost:
            lose(ledger, name)
        assert copy_experiment(ledger, other, name) == (name, True)
        summary = other.summary(name)
        assert (summary.status, summary.terms) == (Status.QUEUED, Terms(3, tags=("red",)))
    assert drained(Queue(other)) == ["waiting", "lost"]


def test_a_worker_releases_its_lease_when_the_disk_has_room_again(
    ledger: Ledger, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lives on, and with it a lease that it has not released."""
    monkeypatch.setattr(writer_module, "PAUSE", 0.001)
    add(ledger)
    writing, failures = ledger._database.writing, [LedgerError("the disk is full")] * 3
    with queue.claimed() as writer:
        assert writer is not None
        writer.finish(1)

        def full() -> Any:
            if failures:
                raise failures.pop()
            return writing()

        monkeypatch.setattr(ledger._database, "writing", full)
    assert status(ledger) is Status.DONE


def test_a_limit_of_gradient_evaluations(ledger: Ledger, queue: Queue) -> None:
    """All runs together: those of another process, too."""
    add(ledger, max_gradient_evaluations=3000)
    for index, ends in ((0, False), (1, True)):
        with queue.claimed() as writer:
            assert writer is not None
            assert writer.ending() is None
            writer.append_generation(study_of(ledger), index, generation(index, 2), {})
            writer.append_curves(study_of(ledger), Purpose.FINALIST, {study_of(ledger).trials[-1].id: [curve(9)]})
            writer.outcome = writer.ending()
            assert (writer.outcome is not None) == ends
    record = ledger.load("digits")
    reason = "the limit of 3,000 gradient evaluations is reached"
    assert (record.status, record.message) == (Status.STOPPED, reason)
    with pytest.raises(LedgerError, match=f"'digits' cannot go on: {reason}; give a larger --max-gradient-evaluations"):
        queue.put("digits")
    with pytest.raises(LedgerError, match="cannot go on"), ledger.hold("digits"):
        pass
    assert ledger.summaries()[0].status is Status.STOPPED
    queue.put("digits", lambda terms: replace(terms, max_gradient_evaluations=None))
    assert drained(queue) == ["digits"]


def test_a_limit_of_time(ledger: Ledger, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(writer_module.time, "monotonic", lambda: clock[0])
    add(ledger, time_limit=60.0)
    for seconds, ends in ((40.0, False), (20.0, True)):
        with queue.claimed() as writer:
            assert writer is not None
            clock[0] += seconds
            writer.outcome = writer.ending()
            assert (writer.outcome is not None) == ends
    record = ledger.load("digits")
    assert (record.status, record.message) == (Status.STOPPED, "the time limit of 60 s is reached")
    assert record.queue.seconds == 60
    with ledger.hold("digits", lambda terms: replace(terms, time_limit=61.0)) as writer:
        assert writer.ending() is None
        writer.finish(1)
    assert ledger.load("digits").terms.time_limit == 61


BAD = {
    "priority": [MOST_PRIORITY + 1, -MOST_PRIORITY - 1, 1.5, "9", True, None],
    "time_limit": [0, -1.0, float("nan"), float("inf"), 1e12, "2h", True],
    "max_gradient_evaluations": [0, -5, 1.5, 2**70, "many", True],
    "owner": ["a\nb", "x" * 201, "\x1b[2J", None, 7, "\ud800"],
    "tags": ["red", ["red"], ("",), (" ",), ("x" * 51,), ("a\tb",), (7,), tuple("abcdefghijklmnopqrstuvw")],
    "notes": ["x" * 10_001, "\x00", "\x1b]0;", None, 7],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_terms_out_of_bounds(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name):
        Terms(**{name: value})


def test_terms_are_kept(ledger: Ledger, queue: Queue) -> None:
    terms = Terms(7, 90.0, 10**12, "mo", ("red", "grün"), "two\nlines, \N{SNOWMAN}")
    ledger.create("digits", {}, "", [StudyKey("adam", 0)], terms=terms)
    assert ledger.load("digits").terms == ledger.summaries()[0].terms == terms
    assert status(ledger) is Status.INTERRUPTED
    assert queue.edit("digits", lambda terms: replace(terms, tags=())).terms == replace(terms, tags=())
    for use in (queue.put, lambda name: queue.request(name, Change.STOP), lambda name: queue.edit(name, lambda t: t)):
        with pytest.raises(LedgerError, match="unknown experiment 'digit'; did you mean 'digits'"):
            use("digit")
