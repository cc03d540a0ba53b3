"""References in the ledger: what is appended is read back, in one transaction, by the holder of the lease alone."""

import math

import pytest
from ledger_examples import complete_experiment, held
from sqlalchemy.exc import IntegrityError

from cooldown.objectives.records import NO_ERRORS, Errors, Reference
from cooldown.storage import LeaseLostError, Ledger, LedgerError

pytestmark = pytest.mark.databases

REFERENCES = [
    Reference("no model", 1.5, math.nan, NO_ERRORS, 0.0),
    Reference("ridge regression", -0.25, 0.75, Errors(12.5, 1e-300), 0.125),
]


def test_what_is_appended_is_read_back(ledger: Ledger) -> None:
    with held(ledger) as writer:
        before = ledger.appended()
        writer.append_references(1, REFERENCES)
        assert ledger.appended() > before, "a page that shows it is drawn again"
        writer.append_references(0, REFERENCES[1:])
    found = ledger.load("digits").references
    assert list(found) == [0, 1]
    assert repr(found[1]) == repr(tuple(REFERENCES))
    assert found[0] == tuple(REFERENCES[1:])


def test_a_repeat_has_them_once_and_a_failed_append_leaves_nothing(ledger: Ledger) -> None:
    with held(ledger) as writer:
        writer.append_references(0, REFERENCES[:1])
        with pytest.raises((LedgerError, IntegrityError)):
            writer.append_references(0, [REFERENCES[1], REFERENCES[0]])
    assert [each.name for each in ledger.load("digits").references[0]] == ["no model"]


def test_only_the_holder_appends(ledger: Ledger) -> None:
    with held(ledger) as writer:
        pass
    with pytest.raises(LeaseLostError):
        writer.append_references(0, REFERENCES)


def test_those_of_a_deleted_experiment_are_gone_and_others_stay(ledger: Ledger) -> None:
    complete_experiment(ledger, "kept")
    with ledger.hold("kept") as writer:
        writer.append_references(0, REFERENCES)
    with held(ledger) as writer:
        writer.append_references(0, REFERENCES)
    ledger.delete("digits")
    assert len(ledger.load("kept").references[0]) == 2
    with held(ledger):
        assert ledger.load("digits").references == {}
