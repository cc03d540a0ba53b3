"""Pages of a ledger's experiments are parts of its whole list, and read what is on them; numbers are of all."""

from collections import Counter
from typing import Any

import pytest
from ledger_examples import change
from sqlalchemy import text

from cooldown.search.experiments.queueing import in_order
from cooldown.storage import Ledger, Queue, Status, StudyKey, Summary, Terms, listing, summaries
from cooldown.storage.listing import Wanted
from cooldown.storage.reading import check
from cooldown.storage.specs import spec_digest

pytestmark = pytest.mark.databases

STATUSES = ("queued", "queued", "running", "paused", "done", "running")
"""Of the experiments of `filled`, from the first one on. Nobody holds those that run, the last of which was queued."""


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """A ledger with 12 experiments, of which each two have a status of `STATUSES`."""
    for number in range(12):
        terms = Terms(priority=number % 3, owner=f"owner {number % 2}", tags=("a%", "b") if number % 4 == 0 else ())
        spec = {"task": ("iris", "IRIS", '50%_"x')[number % 3], "arms": ["adam"], "repeats": 1, "trials": 1}
        ledger.create(f"e{number:02}", spec, "data", [StudyKey("adam", 0)], terms=terms, queued=number % 6 in (0, 1, 5))
        change(ledger, f"UPDATE cooldown_experiments SET status = '{STATUSES[number % 6]}' WHERE name = 'e{number:02}'")
    # Of one moment.
    change(ledger, "UPDATE cooldown_experiments SET created_at = 1000 WHERE name < 'e05'")
    return ledger


def walked(ledger: Ledger, most: int, wanted: Wanted = listing.ALL) -> list[Summary]:
    """All pages of this size."""
    found: list[Summary] = []
    after = None
    while True:
        page = listing.page(ledger, wanted, after=after, most=most)
        assert len(page.summaries) <= most
        found += page.summaries
        if page.next is None:
            return found
        after = page.next


def test_the_pages_are_the_list(filled: Ledger) -> None:
    for most in (1, 5, 12, 50):
        assert walked(filled, most) == filled.summaries()


FILTERS = [
    *(Wanted(status=status) for status in Status),
    *(Wanted(task=task) for task in ("iris", "IRIS", '50%_"x', "iri", "%")),
    *(Wanted(tag=tag) for tag in ("a%", "a")),
    Wanted(owner="owner 1", status=Status.QUEUED),
    Wanted(Status.QUEUED, "iris", "owner 0", "b"),
]


def test_a_filter_finds_what_it_says(filled: Ledger) -> None:
    for wanted in FILTERS:
        assert walked(filled, 3, wanted) == [each for each in filled.summaries() if wanted.has(each)], wanted


def test_the_queue_has_pages_too(filled: Ledger) -> None:
    expected = in_order(filled.summaries())
    assert {each.status for each in expected} == {Status.QUEUED, Status.PAUSED}, "what nobody runs waits"
    found: list[Any] = []
    after = None
    while True:
        page = listing.queue_page(filled, after=after, most=2)
        found += page.entries
        if page.next is None:
            break
        after = page.next
    assert [each.summary for each in found] == expected
    waiting = [each.position for each in found if each.summary.status is Status.QUEUED]
    assert waiting == list(range(1, len(waiting) + 1))
    # What a worker takes is gone from it, and nothing behind it is missed.
    first = listing.queue_page(filled, most=2)
    with Queue(filled).claimed() as writer:
        assert writer is not None
        assert writer.lease.name == first.entries[0].summary.name
        rest = listing.queue_page(filled, after=first.next, most=50)
    assert [each.summary.name for each in rest.entries] == [each.name for each in expected[2:]]


def test_the_numbers_are_those_of_all(filled: Ledger) -> None:
    all_ = filled.summaries()
    numbers = listing.overview(filled)
    assert {status: count for status, count in numbers.experiments.items() if count} == Counter(e.status for e in all_)
    queued = [each.queue.since for each in all_ if each.status is Status.QUEUED]
    assert numbers.oldest == min(queued)
    assert numbers.trials == 0


def test_a_page_reads_what_is_on_it(filled: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    def heard(row: Any, where: str) -> None:
        checked.append(row.name)
        check(row, where)

    monkeypatch.setattr(summaries, "check", heard)
    names = [each.name for each in listing.page(filled, most=3).summaries]
    assert set(names) < set(checked)
    assert len(checked) == 4, "and the one that says that there are more"
    del checked[:]
    listing.page(filled, most=3)
    listing.overview(filled)
    assert checked == []


def test_a_damaged_experiment_is_on_its_page(filled: Ledger) -> None:
    change(filled, "UPDATE cooldown_experiments SET spec = '[' || spec WHERE name = 'e11'")
    first = listing.page(filled, most=2)
    assert [each.name for each in first.summaries] == ["e10"]
    assert [error.experiment for error in first.unreadable] == ["e11"]
    assert [error.experiment for error in listing.page(filled, after=first.next, most=2).unreadable] == []
    assert len(walked(filled, 2)) == 11


def test_one_of_no_time_is_on_the_first_page(filled: Ledger) -> None:
    change(filled, "UPDATE cooldown_experiments SET created_at = -5 WHERE name = 'e03'")
    assert [error.experiment for error in listing.page(filled, most=1).unreadable] == ["e03"]
    assert len(walked(filled, 1)) == 11


def test_lists_are_read_from_indices(filled: Ledger) -> None:
    plans = {
        "cooldown_experiments_newest": "SELECT * FROM cooldown_experiments WHERE created_at BETWEEN 0 AND 9e9 "
        "AND (created_at, id) < (5, 6) ORDER BY created_at DESC, id DESC LIMIT 3",
        "ix_cooldown_experiments_queue": "SELECT priority, queued_at, id FROM cooldown_experiments "
        "WHERE status = 'queued'",
        "ix_cooldown_experiments_asked": "SELECT * FROM cooldown_experiments WHERE task_fingerprint = 'a' "
        "AND spec_digest = 'b'",
    }
    for index, query in plans.items():
        with filled._database.reading() as connection:
            if filled.file is None:
                # It reads a small table as a whole where it may.
                connection.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN" if filled.file is None else "EXPLAIN QUERY PLAN"
            plan = str(connection.execute(text(f"{explain} {query}")).all())
        assert index in plan
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan


def test_equal_specs_have_equal_digests() -> None:
    spec = {"task": "iris", "trials": 4, "ranges": {"adam.beta1": [0, 1]}, "until": None, "repeats": 2}
    same = [
        {**spec, "ranges": {"adam.beta1": [0.0, 1.0]}},
        {**spec, "repeats": 9, "until": 20, "widened": {"adam": []}},
        {**spec, "primary": None},
        {name: spec[name] for name in sorted(spec, reverse=True)},
    ]
    assert {spec_digest(each) for each in same} == {spec_digest(spec)}
    others = [{**spec, "trials": 5}, {**spec, "ranges": {}}, {**spec, "task": "digits"}]
    assert len({spec_digest(each) for each in (*others, spec)}) == 4
