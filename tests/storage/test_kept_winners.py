"""The winners that are kept between reads are those of the ledger, and what has not changed is not read again."""

from collections.abc import Collection
from typing import Any

import pytest
from ledger_examples import change, complete_experiment, curve, new_trial, rows, study_of

from cooldown.storage import Ledger, Purpose, StudyKey, winners
from cooldown.storage.winners import read_winners

pytestmark = pytest.mark.databases


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """For which experiments the winners were read: None for all."""
    asked: list[Any] = []

    def heard(connection: Any, of: Collection[int] | None = None) -> Any:
        asked.append(of if of is None else sorted(of))
        return read_winners(connection, of)

    monkeypatch.setattr(winners, "read_winners", heard)
    return asked


def fresh(ledger: Ledger) -> dict[str, Any]:
    """The winners as a new process reads them."""
    with ledger._database.reading() as connection:
        found = read_winners(connection)
    names = dict(map(tuple, rows(ledger, "SELECT id, name FROM cooldown_experiments")))
    return {names[id]: winners for id, winners in found.items()}


def test_only_what_is_new_is_read(ledger: Ledger, asked: list[Any]) -> None:
    assert ledger.winners() == {}
    complete_experiment(ledger, "first")
    complete_experiment(ledger, "second")
    both = ledger.winners()
    assert both == fresh(ledger)
    assert set(both) == {"first", "second"}
    del asked[:]
    assert ledger.winners() == both
    assert asked == []
    complete_experiment(ledger, "third")
    assert set(ledger.winners()) == {"first", "second", "third"}
    assert asked == [[ledger.load("third").id]]
    assert ledger.winners() == fresh(ledger)


def test_an_extended_experiment_is_read_again(ledger: Ledger, asked: list[Any]) -> None:
    complete_experiment(ledger)
    before = ledger.winners()["digits"]
    ledger.extend("digits", {"arms": ["adam"]}, [StudyKey("adam", 1)], [])
    del asked[:]
    assert ledger.winners()["digits"] == before
    with ledger.hold("digits") as writer:
        study = writer.append_generation(study_of(ledger, repeat=1), 0, [new_trial(0)], {})
        assert ledger.winners()["digits"] == before, "a search alone has no winner"
        assert asked == []
        writer.append_curves(study, Purpose.EVALUATION, {study.trials[0].id: [curve(31, [0.1])]})
    assert len(ledger.winners()["digits"]) == len(before) + 1
    assert asked == [[ledger.load("digits").id]]
    assert ledger.winners() == fresh(ledger)


def test_numbers_that_are_given_again_are_not_confused(ledger: Ledger) -> None:
    """SQLite gives a new row the number of the last one that was deleted."""
    complete_experiment(ledger, "stays")
    complete_experiment(ledger, "goes")
    assert set(ledger.winners()) == {"stays", "goes"}
    ledger.delete("goes")
    complete_experiment(ledger, "comes")
    assert ledger.winners() == fresh(ledger)
    assert set(ledger.winners()) == {"stays", "comes"}
    ledger.delete("comes")
    ledger.delete("stays")
    assert ledger.winners() == {}


def test_winners_that_have_become_unreadable_are_not_kept(ledger: Ledger) -> None:
    complete_experiment(ledger, "sound")
    complete_experiment(ledger)
    assert set(ledger.winners()) == {"sound", "digits"}
    ledger.extend("digits", {"arms": ["adam"]}, [StudyKey("adam", 1)], [])
    with ledger.hold("digits") as writer:
        study = writer.append_generation(study_of(ledger, repeat=1), 0, [new_trial(0)], {})
        writer.append_curves(study, Purpose.EVALUATION, {study.trials[0].id: [curve(31, [0.1])]})
    newest = "SELECT max(id) FROM cooldown_curves"
    change(ledger, f"UPDATE cooldown_curves SET final_loss = :infinite WHERE id = ({newest})", infinite=float("inf"))
    assert set(ledger.winners()) == set(fresh(ledger)) == {"sound"}
