"""Alarms of an answer where many answers are listed: a result with alarms does not look like one without."""

import json
from typing import Any

import pytest
from search_runs import TINY, spec
from sqlalchemy import update

from cooldown import compare, resume
from cooldown.search.evidence.across.comparison import Asked, compared
from cooldown.search.evidence.across.document import document, received, sent
from cooldown.search.evidence.across.measured import LeftOut, Measured, measured
from cooldown.search.evidence.across.tables import question_table
from cooldown.search.evidence.standing import Leaders, lines
from cooldown.search.figures.across import forest
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger, Status, Summary, Winner, tables

PAIR = ("momentum+cosine", "adam")
ALARMS = (("boundary", "adam"), ("references", ""), ("one run", "momentum"))


def on(task: str, alarms: tuple[tuple[str, str], ...] | None, ratio: float) -> Measured | LeftOut:
    asked = spec(task=task, arms=("momentum", *PAIR), repeats=3).to_json()
    summary = Summary(task, asked, task, Status.DONE, 0.0, 1.0, 8, (), alarms=alarms)
    losses = {"momentum": 2.0, "momentum+cosine": 1.0, "adam": ratio}
    spread = {"adam": 0.01}
    winners = [
        Winner(arm, repeat, loss, loss * (1 + repeat * spread.get(arm, 0.0)), 0.9)
        for arm, loss in losses.items()
        for repeat in range(3)
    ]
    return measured(summary, winners)


@pytest.fixture
def found() -> list[Measured | LeftOut]:
    return [on("iris", ALARMS, 1.5), on("wine", (), 1.4), on("digits", None, 1.6)]


def test_a_comparison_over_tasks_tells_the_alarms_about_its_arms(found: list[Measured | LeftOut]) -> None:
    across = compared(found, Asked()).across
    assert question_table(across).values("Alarms") == [None, "boundary: adam; references", "none", None]
    assert across.sentence.endswith(" The answer on 1 of them has alarms.")
    assert not compared(found[1:], Asked()).across.sentence.endswith("alarms.")
    symbols = [trace.marker.symbol for trace in forest(across).data if trace.mode == "markers"]
    assert [symbol.endswith("-open") for symbol in symbols] == [False, True, False]
    on_iris = document(compared(found, Asked()))["tasks"][1]["alarms"]
    assert on_iris == [{"kind": "boundary", "arm": "adam"}, {"kind": "references", "arm": ""}]
    assert received(json.loads(json.dumps(sent(found)))) == found


def test_a_finished_run_keeps_its_alarms_for_lists_until_it_is_extended(url: str) -> None:
    result = compare(**TINY, name="mine", db=url, workers=1)
    ledger = Ledger(url)
    expected = tuple((alarm.kind, alarm.arm) for alarm in result.alarms)
    assert ledger.summary("mine").alarms == expected
    (line,), _ = lines(ledger.summaries(), ledger.winners(), Leaders())
    assert line.alarms == line.to_json()["alarms"] == len(expected)
    ledger.extend("mine", spec(repeats=3).to_json(), planned(spec(repeats=3)), [])
    assert ledger.summary("mine").alarms is None
    (line,), _ = lines(ledger.summaries(), ledger.winners(), Leaders())
    assert line.alarms is None
    again = resume("mine", workers=1, db=url)
    assert ledger.summary("mine").alarms == tuple((alarm.kind, alarm.arm) for alarm in again.alarms)


@pytest.mark.parametrize("stored", [{"kind": "boundary"}, ["boundary"], [["boundary"]], [["boundary", 1]]])
def test_what_cannot_be_alarms_is_told(url: str, stored: Any) -> None:
    ledger = Ledger(url)
    ledger.create("mine", spec().to_json(), "", [])
    with ledger._database.writing() as connection:
        connection.execute(update(tables.experiments).values(alarms=stored))
    (error,) = ledger.unreadable()
    assert "alarms" in error.reason
