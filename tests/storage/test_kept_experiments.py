"""The experiments that are kept between reads are those of the ledger; what has not changed is not checked again."""

from typing import Any

import pytest
from ledger_examples import change, complete_experiment

from cooldown.storage import Ledger, summaries
from cooldown.storage.reading import check

pytestmark = pytest.mark.databases


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names of the experiments whose rows were checked."""
    checked: list[Any] = []

    def heard(row: Any, where: str) -> None:
        checked.append(row.name)
        check(row, where)

    monkeypatch.setattr(summaries, "check", heard)
    return checked


def state(ledger: Ledger) -> tuple[Any, list[str]]:
    return ledger.summaries(), [str(error) for error in ledger.unreadable()]


def fresh(ledger: Ledger) -> tuple[Any, list[str]]:
    """What a new process reads."""
    return state(Ledger(ledger._database.engine.url.render_as_string(hide_password=False)))


def test_only_what_has_changed_is_checked(ledger: Ledger, checked: list[Any]) -> None:
    assert state(ledger) == ([], [])
    complete_experiment(ledger, "first")
    complete_experiment(ledger, "second")
    assert {summary.name for summary in ledger.summaries()} == {"first", "second"}
    assert sorted(checked) == ["first", "second"]
    del checked[:]
    both = state(ledger)
    assert checked == []
    assert both == fresh(ledger)
    del checked[:]
    complete_experiment(ledger, "third")
    assert len(ledger.summaries()) == 3
    assert checked == ["third"]


def test_a_damaged_one_is_kept_as_it_is_until_it_changes(ledger: Ledger, checked: list[Any]) -> None:
    complete_experiment(ledger, "first")
    complete_experiment(ledger, "second")
    sound = state(ledger)
    change(ledger, "UPDATE cooldown_experiments SET spec = '[' || spec WHERE name = 'first'")
    del checked[:]
    damaged = state(ledger)
    assert checked == ["first"]
    assert [summary.name for summary in damaged[0]] == ["second"]
    assert len(damaged[1]) == 1
    assert "'first'" in damaged[1][0]
    assert state(ledger) == damaged
    assert checked == ["first"]
    assert damaged == fresh(ledger)
    change(ledger, "UPDATE cooldown_experiments SET spec = substr(spec, 2) WHERE name = 'first'")
    assert state(ledger) == sound


def test_numbers_that_are_given_again_are_not_confused(ledger: Ledger) -> None:
    """SQLite gives a new row the number of the last one that was deleted."""
    complete_experiment(ledger, "goes")
    assert len(ledger.summaries()) == 1
    ledger.delete("goes")
    complete_experiment(ledger, "comes")
    assert state(ledger) == fresh(ledger)
    assert [summary.name for summary in ledger.summaries()] == ["comes"]


def test_names_are_listed_without_the_rest_damaged_ones_last(ledger: Ledger) -> None:
    assert ledger.names() == []
    for name in ("first", "second", "third"):
        complete_experiment(ledger, name)
    assert ledger.names() == [each.name for each in ledger.summaries()] == ["third", "second", "first"]
    change(ledger, "UPDATE cooldown_experiments SET spec = '[' || spec WHERE name = 'third'")
    assert ledger.names() == ["second", "first", "third"]
