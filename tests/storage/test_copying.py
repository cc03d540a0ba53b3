"""An experiment that is copied to another ledger, on either database, is the same one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from ledger_examples import change, complete_experiment, generation, held, rows, study_of
from optuna.storages import RDBStorage

from cooldown.objectives.records import NO_ERRORS, Reference
from cooldown.storage import ExperimentRecord, Ledger, LedgerError, Status, StudyKey, UnreadableError, Work
from cooldown.storage.copying import copy_experiment
from cooldown.storage.fingerprint import everything, fingerprint
from cooldown.storage.health import contradictions, examine


@pytest.fixture
def target(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/target.db")


@pytest.fixture(params=["to postgresql", "to sqlite", "between files"])
def pair(request: pytest.FixtureRequest, ledger: Ledger, target: Ledger) -> Iterator[tuple[Ledger, Ledger]]:
    """A ledger, and an empty one on another database."""
    if request.param == "between files":
        yield ledger, target
        return
    server = Ledger(request.getfixturevalue("postgresql_url"))
    yield (ledger, server) if request.param == "to postgresql" else (server, target)


def plain(record: ExperimentRecord) -> list[Any]:
    """What must not change, to the last bit, apart from numbers of rows."""
    kept = [record.spec, record.task_fingerprint, record.environment, record.message, record.created_at]
    kept += [record.finished_at, record.looks, record.extended_from, repr(record.references)]
    keys = {study.id: (study.arm, study.repeat, study.is_default) for study in everything(record)}
    kept += [(keys.get(each.study_id or 0), replace(each, study_id=None)) for each in record.work]
    for study in everything(record):
        kept += [study.arm, study.repeat, study.is_default, study.attempt, dict(study.sampler_state)]
        for trial in study.trials:
            kept += [trial.number, trial.generation, dict(trial.parameters), dict(trial.attributes), trial.config]
            kept += [repr(vars(curve)) for curve in study.curves()]
    return kept


def optunas(ledger: Ledger) -> list[Any]:
    """What Optuna reads of every study."""
    storage = RDBStorage(ledger._database.engine.url.render_as_string(hide_password=False))
    try:
        return [
            (study.study_name, study.direction, _attributes(storage, study), _trials(storage, study))
            for study in optuna.get_all_study_summaries(storage)
        ]
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _attributes(storage: RDBStorage, study: Any) -> Any:
    return storage.get_study_system_attrs(study._study_id)


def _trials(storage: RDBStorage, study: Any) -> list[str]:
    trials = storage.get_all_trials(study._study_id)
    for trial in trials:
        trial._trial_id = 0
    return [repr(vars(trial)) for trial in trials]


def rich_experiment(ledger: Ledger, name: str = "digits") -> None:
    """One with a default config, an extension and references, and who trained these."""
    complete_experiment(ledger, name)
    ledger.extend(name, {"arms": ["adam"], "trials": 9}, [StudyKey("adam", 0, is_default=True)], [{"trials": 5}])
    with ledger.hold(name) as writer:
        study, work = ledger.load(name).default_configs[0], [Work("one:1", 1000.0, 1001.5), Work("two:2", 1e3, 2e3)]
        writer.append_generation(study, 0, generation(0, 1), {}, work)
        writer.append_references(0, [Reference("no model", 1.5, float("nan"), NO_ERRORS, 0.25)], work)
        writer.finish(1)


def test_everything_is_copied_and_a_second_time_nothing(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    complete_experiment(target, "another")
    rich_experiment(source)
    assert copy_experiment(source, target, "digits") == ("digits", True)
    assert copy_experiment(source, target, "digits") == ("digits", False)
    before, after = source.load("digits"), target.load("digits")
    assert plain(after) == plain(before)
    assert fingerprint(everything(after)) == fingerprint(everything(before))
    assert (after.status, after.db, len(target.summaries())) == (Status.DONE, target.db, 2)
    theirs = [study for study in optunas(target) if study[0].startswith("digits")]
    assert sorted(theirs, key=str) == sorted(optunas(source), key=str)
    assert examine(target) == []
    assert contradictions(target, after) == []
    assert target.winners()["digits"] == source.winners()["digits"]


def test_a_copy_goes_on_and_back(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    with held(source) as writer:
        writer.append_generation(study_of(source), 0, generation(0), {"state": 0})
    copy_experiment(source, target, "digits")
    for ledger in pair:
        with ledger.hold("digits") as writer:
            writer.append_generation(study_of(ledger), 1, generation(1), {"state": 1})
    assert copy_experiment(target, source, "digits") == ("digits", False)


def test_a_name_in_use_gets_a_number_and_the_other_stays(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    complete_experiment(source)
    with held(target, "digits", [StudyKey("adam", 0)]) as writer:
        writer.append_generation(study_of(target), 0, generation(0), {})
    theirs = plain(target.load("digits"))
    assert copy_experiment(source, target, "digits") == ("digits-2", True)
    assert copy_experiment(source, target, "digits") == ("digits-2", False)
    assert plain(target.load("digits")) == theirs
    assert plain(target.load("digits-2")) == plain(source.load("digits"))
    assert {name for name, *_ in optunas(target)} == {"digits/adam/0", "digits-2/adam/0", "digits-2/momentum+sgdr/0"}


def test_one_that_is_run_or_damaged_is_not_copied(pair: tuple[Ledger, Ledger]) -> None:
    source, target = pair
    complete_experiment(source)
    with source.hold("digits"), pytest.raises(LedgerError, match="is being run by process"):
        copy_experiment(source, target, "digits")
    change(source, "UPDATE cooldown_curves SET kept_epoch = 99 WHERE id = 1")
    with pytest.raises(UnreadableError, match="kept_epoch is 99"):
        copy_experiment(source, target, "digits")
    assert target.summaries() == []
    assert rows(target, "SELECT * FROM studies") == []


def test_one_whose_process_has_ended_is_interrupted(ledger: Ledger, target: Ledger) -> None:
    complete_experiment(ledger)
    with closing(sqlite3.connect(ledger.where, isolation_level=None)) as connection:
        connection.execute("UPDATE cooldown_experiments SET status = 'running', holder_token = 'gone'")
    copy_experiment(ledger, target, "digits")
    assert target.load("digits").status is Status.INTERRUPTED
    assert rows(target, "SELECT holder_token, status FROM cooldown_experiments") == [(None, "interrupted")]


def test_a_copy_that_would_read_otherwise_is_undone(
    ledger: Ledger, target: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete_experiment(ledger)
    from cooldown.storage import copying

    monkeypatch.setattr(copying, "_is", lambda *_: False)
    with pytest.raises(LedgerError, match=r"was not copied: read in .*target.db, it was another one"):
        copy_experiment(ledger, target, "digits")
    assert target.summaries() == []
    assert rows(target, "SELECT * FROM studies") == []
