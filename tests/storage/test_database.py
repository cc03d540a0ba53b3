"""Settings of a connection, migrations, and a creation that is killed or that others do at once."""

import shutil
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from child_scripts import run_child
from ledger_examples import complete_experiment, generation, held, study_of
from sqlalchemy import event

from cooldown.objectives import Outcome
from cooldown.objectives.records import NO_ERRORS
from cooldown.storage import Ledger, LedgerError, StudyKey, backend
from cooldown.storage.fingerprint import arm_fingerprints, fingerprint

FIXTURE = Path(__file__).parent / "fixtures" / "ledger_0001.sqlite"
FIXTURE_PRINTS = {
    "adam": "a22583c8e2b050b2dd6435302ef4a553daaa92412618cdc7140a39b2ef2689f4",
    "momentum+sgdr": "a22583c8e2b050b2dd6435302ef4a553daaa92412618cdc7140a39b2ef2689f4",
}


# -- settings and migrations ------------------------------------------------------------------------------------------


def test_the_settings_of_every_connection(ledger: Ledger) -> None:
    for transaction in (ledger._database.reading, ledger._database.writing):
        with transaction() as connection:
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert settings == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_writer_takes_the_lock_at_once_and_a_reader_none(ledger: Ledger, url: str) -> None:
    other = sqlite3.connect(ledger.where, timeout=0, isolation_level=None)
    with closing(other):
        with ledger._database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with ledger._database.reading() as connection:
            connection.exec_driver_sql("SELECT * FROM cooldown_experiments")
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")


def test_a_run_opens_one_connection_to_write_with_and_others_in_other_threads(tmp_path: Path) -> None:
    ledger, opened = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), list[int]()
    with held(ledger) as writer:
        study = study_of(ledger)
        event.listen(ledger._database.engine, "connect", lambda *_: opened.append(threading.get_ident()))
        for index in range(3):
            study = writer.append_generation(study, index, generation(index), {})
        assert opened == []
        other = threading.Thread(target=lambda: writer._database.write(lambda connection: None))
        other.start()
        other.join()
        assert opened == [other.ident]
    opened.clear()
    ledger._database.write(lambda connection: None)
    assert opened == [threading.get_ident()]


def test_a_file_that_was_replaced_is_not_written_to_behind_its_name(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger = Ledger(f"sqlite:///{path}")
    with held(ledger) as writer:
        study = writer.append_generation(study_of(ledger), 0, generation(0), {})
        path.rename(tmp_path / "moved.db")
        path.touch()
        with pytest.raises(LedgerError, match="damaged"):
            writer.append_generation(study, 1, generation(1), {})


def test_another_programs_lock_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "LOCK_TIMEOUT", 0.01)
    with closing(sqlite3.connect(ledger.where, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="is locked by another program"):
            ledger.create("digits", {}, "", [StudyKey("adam", 0)])


def test_a_ledger_of_the_first_revision_opens_and_keeps_its_fingerprint(tmp_path: Path) -> None:
    path = shutil.copy(FIXTURE, tmp_path / "old.sqlite")
    ledger = Ledger(f"sqlite:///{path}", create=False)
    record = ledger.load("digits")
    assert [each.name for each in ledger.outlines(None, record.task_fingerprint, record.spec)] == ["digits"]
    assert arm_fingerprints(record.studies) == FIXTURE_PRINTS
    assert fingerprint(record.studies) == "0b96582d114ce329e85b9d2a4a9d5c7868098f060a269e6caea0275b69f8c42c"
    curves = [curve for study in record.studies for curve in study.curves()]
    assert {curve.learning_rate.size for curve in curves} == {0}, "was not kept then"
    assert all(
        curve.kept_epoch == (0 if curve.outcome is Outcome.DIVERGED else len(curve.train_loss)) for curve in curves
    )
    assert {curve.errors for curve in curves} == {NO_ERRORS}
    assert record.references == {}
    study = study_of(ledger)
    with ledger.hold("digits") as writer:
        assert len(writer.append_generation(study, 3, generation(2), {}).trials) == 9
    ledger.delete("digits")


@pytest.mark.processes
def test_opening_and_reading_load_nothing_heavy(url: str, ledger: Ledger) -> None:
    complete_experiment(ledger)
    script = """
import sys
from cooldown.storage import Ledger
ledger = Ledger(sys.argv[1], create=False)
assert [summary.name for summary in ledger.summaries()] == ["digits"]
ledger.load("digits")
print(*({"optuna", "alembic", "numba", "sklearn", "scipy", "pandas", "sqlalchemy"} & set(sys.modules)))
"""
    assert run_child(script, url).split() == ["sqlalchemy"]


# -- early deaths and twins -------------------------------------------------------------------------------------------

DIE_WHILE_CREATING = """
import itertools, os, signal, sys
import optuna.storages, alembic.command
from sqlalchemy import Engine, event
from cooldown.storage import Ledger, StudyKey, database, optuna_rows
count, at = itertools.count(), None
@event.listens_for(Engine, "before_cursor_execute")
@event.listens_for(Engine, "commit")
def die(*_):
    if next(count) == at:
        os.kill(os.getpid(), signal.SIGKILL)
Ledger(f"sqlite:///{sys.argv[1]}/undisturbed.sqlite").summaries()
statements = next(count)
step = 1 if sys.argv[2:] else statements // 8
for at in [*range(0, statements, step), statements - 1]:
    if child := os.fork():
        print(at, -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    else:
        count = itertools.count()
        Ledger(f"sqlite:///{sys.argv[1]}/{at}.sqlite").summaries()
        os._exit(0)
"""


@pytest.mark.processes
@pytest.mark.parametrize("which", ["some", pytest.param("every", marks=pytest.mark.full)])
def test_kill_9_at_any_statement_of_the_creation_leaves_a_file_that_becomes_a_ledger(
    tmp_path: Path, which: str
) -> None:
    arguments = [which] if which == "every" else []
    told = run_child(DIE_WHILE_CREATING, str(tmp_path), *arguments)
    lines = [tuple(map(int, line.split())) for line in told.splitlines()]
    assert len(lines) > 8
    assert {code for _, code in lines} == {signal.SIGKILL}
    for at, _ in lines:
        url = f"sqlite:///{tmp_path}/{at}.sqlite"
        ledger = Ledger(url)
        complete_experiment(ledger)
        ledger.delete("digits")
        with closing(sqlite3.connect(ledger.where)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT count(*) FROM alembic_version").fetchall() == [(1,)]
            assert connection.execute("SELECT count(*) FROM version_info").fetchall() == [(1,)]


TWINS = """
import os, sys
import optuna.storages, alembic.command
from cooldown.storage import Ledger, StudyKey, database, optuna_rows
for turn in range(2):
    reading, writing = os.pipe()
    children = []
    for twin in range(3):
        if child := os.fork():
            children.append(child)
            continue
        try:
            os.close(writing)
            os.read(reading, 1)
            ledger = Ledger(f"sqlite:///{sys.argv[1]}/{turn}.sqlite")
            ledger.create(f"twin {twin}", {}, "", [StudyKey("adam", 0)])
            with ledger.hold(f"twin {twin}") as writer:
                writer.finish(1)
            os._exit(0)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
    os.close(writing)
    for child in children:
        os.waitpid(child, 0)
"""


@pytest.mark.processes
def test_processes_that_create_the_same_ledger_at_once_all_succeed(tmp_path: Path) -> None:
    assert run_child(TWINS, str(tmp_path)) == ""
    for turn in range(2):
        ledger = Ledger(f"sqlite:///{tmp_path}/{turn}.sqlite", create=False)
        assert {summary.name for summary in ledger.summaries()} == {f"twin {twin}" for twin in range(3)}
