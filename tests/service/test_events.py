"""Events come once each, in order, also over breaks; a stream ends with its experiment."""

import asyncio
from typing import Any

import pytest
from search_runs import run_in_threads, spec
from served import Served

from cooldown.search.service import events
from cooldown.search.service.events import OVER, Position, is_over, news, stream
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, UnknownExperimentError


def parsed(text: str) -> list[dict[str, str]]:
    """The events of a stream, each as its fields."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith((":", "retry"))]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_a_stream_has_every_trial_once_and_ends_with_the_experiment(shown: Served) -> None:
    client = shown.client("reader")
    answer = client.get("/api/v1/experiments/done/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = parsed(answer.text)
    trials = client.get("/api/v1/experiments/done/trials").json()["trials"]
    assert [event["event"] for event in told] == ["trial"] * len(trials) + ["status"]
    assert '"done"' in told[-1]["data"]


@pytest.mark.parametrize("after", [0, 3, -2])
def test_a_reader_who_comes_back_gets_what_came_after(shown: Served, after: int) -> None:
    client = shown.client("reader")
    told = parsed(client.get("/api/v1/experiments/done/events").text)
    again = client.get("/api/v1/experiments/done/events", headers={"Last-Event-ID": told[after]["id"]})
    assert parsed(again.text) == told[told.index(told[after]) + 1 :]


def test_a_browser_that_has_all_is_told_not_to_come_back(shown: Served) -> None:
    client = shown.client("reader")
    last = parsed(client.get("/api/v1/experiments/done/events").text)[-1]["id"]
    assert client.get("/api/v1/experiments/done/events", headers={"Last-Event-ID": last}).status_code == 204
    # That of an experiment of the same name that was deleted.
    other = str(Position.parse(last)._replace(since=1.0))
    assert client.get("/api/v1/experiments/done/events", headers={"Last-Event-ID": other}).status_code == 200
    assert client.get("/api/v1/experiments/none/events").status_code == 404


@pytest.mark.parametrize(
    "text", ["", "1", "a_b_c", "1_2", "nan_1_done", "1e999_x_done", "0x1p+9999_1_", "_" * 300, "é"]
)
def test_a_position_that_is_none_is_the_start(shown: Served, text: str) -> None:
    ledger = shown.service.ledger
    assert len(news(ledger, "done", Position.parse(text))) == len(news(ledger, "done", Position()))


def test_events_of_an_experiment_as_it_goes_on(empty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "AT_ONCE", 3)
    ledger, tiny = empty.service.ledger, spec()
    ledger.create("one", tiny.to_json(), "", planned(tiny))
    told = news(ledger, "one", Position())
    assert [(event.name, event.data["status"]) for event in told] == [("status", "interrupted")]
    assert not is_over(told[-1].position)
    assert news(ledger, "one", told[-1].position) == []
    ledger.delete("one")
    with pytest.raises(UnknownExperimentError):
        news(ledger, "one", told[-1].position)
    run_in_threads(empty.service.url, tiny, name="one")
    seen, found = told[-1].position, []
    while more := news(ledger, "one", seen):
        assert len(more) <= 4
        found += more
        seen = more[-1].position
    assert [event.name for event in found] == ["trial"] * (len(found) - 1) + ["status"]
    assert is_over(seen)


def test_what_happens_to_a_reader_of_an_experiment_that_is_deleted(
    empty: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PAUSE", 0.0)
    ledger, tiny = empty.service.ledger, spec()
    ledger.create("one", tiny.to_json(), "", planned(tiny))
    assert asyncio.run(_heard(ledger, "one"))[-1] == b"event: deleted\ndata: {}\n\n"


async def _heard(ledger: Ledger, name: str) -> list[Any]:
    """What a reader hears who waits while the experiment is deleted; the clock is a second later at each look."""
    now, heard = 0.0, []

    def clock() -> float:
        nonlocal now
        now += 1.0
        return now

    async for part in stream(ledger, name, Position(), clock):
        heard.append(part)
        if part == b": nothing new\n\n":
            ledger.delete(name)
    return heard


def test_a_stream_ends_after_a_while(shown: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LASTS", 5.0)
    monkeypatch.setattr(events, "PAUSE", 0.0)
    now = iter(range(100))

    async def heard() -> int:
        return len([part async for part in stream(shown.service.ledger, "begun", Position(), lambda: next(now))])

    assert asyncio.run(heard()) >= 2


def test_the_end_of_an_experiment_is_known_by_its_status() -> None:
    assert "done" in [status.value for status in OVER]
    assert not {"running", "interrupted"} & {status.value for status in OVER}
