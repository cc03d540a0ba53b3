"""Who trained what and when, in the ledger: stored with the results, and no part of what they are."""

import pytest
from ledger_examples import complete_experiment, generation, held, study_of
from sqlalchemy import update

from cooldown.objectives.records import NO_ERRORS, Reference
from cooldown.storage import Ledger, Purpose, UnreadableError, Work, WorkRecord, tables
from cooldown.storage.fingerprint import everything, fingerprint

pytestmark = pytest.mark.databases

ONE, TWO = Work("one:1", 1000.5, 1002.0), Work("two:2", 1000.0, 1003.0)


def test_what_is_appended_with_results_is_read_back_in_order_of_its_end(ledger: Ledger) -> None:
    with held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {}, [TWO, ONE])
        later = {study.trials[0].id: study.trials[0].curves[Purpose.SEARCH]}
        writer.append_curves(study, Purpose.FINALIST, later, [Work("one:1", 1004.0, 1004.0)])
        writer.append_references(2, [Reference("no model", 1.5, 0.5, NO_ERRORS, 0.0)], [Work("one:1", 1005.0, 1006.0)])
    assert ledger.load("digits").work == (
        WorkRecord(study.id, study.repeat, Purpose.SEARCH, 0, ONE),
        WorkRecord(study.id, study.repeat, Purpose.SEARCH, 0, TWO),
        WorkRecord(study.id, study.repeat, Purpose.FINALIST, None, Work("one:1", 1004.0, 1004.0)),
        WorkRecord(None, 2, Purpose.EVALUATION, None, Work("one:1", 1005.0, 1006.0)),
    )


def test_it_is_no_part_of_a_fingerprint(ledger: Ledger) -> None:
    prints = set()
    for work in ([], [ONE], [TWO, ONE]):
        with held(ledger) as writer:
            writer.append_generation(study_of(ledger), 0, generation(0), {}, work)
        prints.add(fingerprint(everything(ledger.load("digits"))))
        ledger.delete("digits")
    assert len(prints) == 1


def test_that_of_a_deleted_experiment_is_gone_and_others_stay(ledger: Ledger) -> None:
    complete_experiment(ledger, "kept")
    reference = Reference("no model", 1.5, 0.5, NO_ERRORS, 0.0)
    with ledger.hold("kept") as writer:
        writer.append_references(0, [reference], [ONE])
    with held(ledger) as writer:
        writer.append_references(0, [reference], [TWO])
    ledger.delete("digits")
    assert [each.work for each in ledger.load("kept").work] == [ONE]
    with held(ledger):
        assert ledger.load("digits").work == ()


def test_work_that_ends_before_it_begins_is_told_with_its_place(ledger: Ledger) -> None:
    with held(ledger) as writer:
        writer.append_generation(study_of(ledger), 0, generation(0), {}, [ONE])
    with ledger._database.writing() as connection:
        connection.execute(update(tables.work).values(ended_at=1.0))
    with pytest.raises(UnreadableError, match=r"'digits'.*number \d+ of cooldown_work.*begin before it ends"):
        ledger.load("digits")
