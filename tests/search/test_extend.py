"""`resume --repeats` and `--trials`: an experiment grows in place, keeps what it has, and stays deterministic."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from search_runs import TINY, print_of, run_in_threads, spec

from cooldown import compare, load, resume
from cooldown.objectives.errors import InputError
from cooldown.search.experiments.service import summaries
from cooldown.search.tuning.progress import Progress
from cooldown.search.tuning.studies import planned
from cooldown.storage import ExperimentRecord, Ledger, Purpose, Status
from cooldown.storage.fingerprint import arm_fingerprints

SETTINGS = {key: value for key, value in TINY.items() if key != "task"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a finished experiment."""
    path = tmp_path_factory.mktemp("made") / "cooldown.db"
    run_in_threads(f"sqlite:///{path}", spec())
    return path


@pytest.fixture
def done(made: Path, url: str) -> str:
    """A copy of it, for one test."""
    shutil.copy(made, url.removeprefix("sqlite:///"))
    return url


def trials_of(record: ExperimentRecord) -> dict[Any, Any]:
    return {
        (study.arm, study.repeat, trial.number): (dict(trial.parameters), trial.validation_loss, trial.finalist_loss)
        for study in record.studies
        for trial in study.trials
    }


def test_more_repeats_are_what_a_run_with_so_many_leaves(done: str, tmp_path: Path) -> None:
    grown = resume("tiny", repeats=3, db=done, workers=1).record
    whole = run_in_threads(f"sqlite:///{tmp_path}/whole.db", spec(repeats=3), name="tiny")
    assert grown.status is Status.DONE
    assert grown.spec["repeats"] == 3
    assert print_of(grown) == print_of(whole)
    assert grown.extended_from == ()


def test_more_trials_keep_what_is_there_and_choose_the_winner_among_all(done: str) -> None:
    before = trials_of(load("tiny", db=done).record)
    result = resume("tiny", trials=9, db=done, workers=1)
    after = trials_of(result.record)
    assert {key: value[:2] for key, value in after.items() if key in before} == {
        key: value[:2] for key, value in before.items()
    }
    for study in result.record.studies:
        assert [trial.number for trial in study.trials] == list(range(9))
        assert all(trial.finalist_loss is not None for trial in study.best(2))
        finalists = [trial for trial in study.trials if trial.finalist_loss is not None]
        assert study.winner is min(finalists, key=lambda trial: trial.finalist_loss or 0.0)
        assert len(study.evaluations) == 2
    assert result.record.extended_from == ({"trials": 4},)
    assert result.to_json()["extended_from"] == [{"trials": 4}]


def test_extending_is_deterministic_and_its_trials_are_those_of_a_run_from_the_start(
    made: Path, tmp_path: Path
) -> None:
    records = []
    for name, steps in (("at once", [12]), ("again", [12]), ("in steps", [8, 12])):
        url = f"sqlite:///{tmp_path}/{name}.db"
        shutil.copy(made, tmp_path / f"{name}.db")
        for step in steps:
            record = resume("tiny", trials=step, db=url, workers=1).record
        records.append(record)
    assert print_of(records[0]) == print_of(records[1])
    assert records[2].extended_from == ({"trials": 4}, {"trials": 8})
    whole = run_in_threads(f"sqlite:///{tmp_path}/whole.db", spec(trials=12), name="tiny")
    expected = {key: value[:2] for key, value in trials_of(whole).items()}
    for record in records:
        assert {key: value[:2] for key, value in trials_of(record).items()} == expected


def test_both_at_once_and_the_progress_reaches_its_end(done: str) -> None:
    reports: list[Progress] = []
    record = resume("tiny", trials=6, repeats=3, db=done, workers=1, report=reports.append).record
    assert {(study.arm, study.repeat): len(study.trials) for study in record.studies} == {
        (arm, repeat): 6 for arm in spec().arms for repeat in range(3)
    }
    assert reports[0].work > 0
    assert [report.work for report in reports] == sorted(report.work for report in reports)
    assert [report.done for report in reports].index(True) == len(reports) - 1
    assert reports[-1].arms == Progress.of("tiny", spec(trials=6, repeats=3), record.studies).arms


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"repeats": 1}, "--repeats 1.*already has 2"),
        ({"trials": 3}, "--trials 3.*already has 4"),
        ({"trials": 0}, "trials: should be greater"),
    ],
)
def test_nothing_shrinks_and_a_refusal_changes_nothing(done: str, more: dict[str, int], message: str) -> None:
    before = load("tiny", db=done).to_json()
    with pytest.raises(InputError, match=message):
        resume("tiny", db=done, **more)
    assert load("tiny", db=done).to_json() == before


def test_the_same_numbers_again_change_nothing(done: str) -> None:
    before = load("tiny", db=done).to_json()
    assert resume("tiny", trials=4, repeats=2, db=done).to_json() == before


def test_one_that_is_held_is_not_extended(done: str) -> None:
    with Ledger(done).hold("tiny"), pytest.raises(InputError, match="is being run by process"):
        resume("tiny", repeats=3, db=done)
    assert load("tiny", db=done).record.spec["repeats"] == 2


def test_an_interrupted_one_is_extended_and_finished(url: str) -> None:
    experiment = spec()
    Ledger(url).create("tiny", experiment.to_json(), _fingerprint(), planned(experiment))
    record = resume("tiny", repeats=3, db=url, workers=1).record
    assert record.status is Status.DONE
    assert len(record.studies) == 6


def test_a_spec_does_not_find_what_was_given_more_trials_later(done: str) -> None:
    """Its finalists may be others than those of a run with so many trials from the start."""
    resume("tiny", trials=6, db=done, workers=1)
    result = compare("iris", db=done, workers=1, **{**SETTINGS, "trials": 6})
    assert result.name != "tiny"
    assert {summary.name for summary in summaries(done)} == {"tiny", result.name}
    for study in result.record.studies:
        assert len([trial for trial in study.trials if Purpose.FINALIST in trial.curves]) == 2


def _fingerprint() -> str:
    from cooldown.objectives import tasks

    return tasks.get("iris").fingerprint()


class Stopped(BaseException):
    """As KeyboardInterrupt, at a chosen step."""


def test_when_it_was_interrupted_does_not_matter_to_an_extension(done: str, tmp_path: Path) -> None:
    """It is finished first: who had become a finalist by then must not depend on the crash."""
    calm = resume("tiny", trials=7, db=done, workers=1).record
    assert calm.extended_from == ({"trials": 4},)
    for steps in (1, 4, 9):
        left = [steps]

        def stop(_: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] <= 0:
                raise Stopped

        struck = f"sqlite:///{tmp_path}/{steps}.db"
        with pytest.raises(Stopped):
            run_in_threads(struck, spec(), report=stop)
        after = resume("tiny", trials=7, db=struck, workers=1).record
        assert print_of(after) == print_of(calm)
        assert after.extended_from == calm.extended_from


def test_the_order_of_extensions_is_told_where_it_matters(tmp_path: Path) -> None:
    """Repeats that come after more trials have had no finalists among fewer."""
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("repeats first", "trials first", "both")]
    again = f"sqlite:///{tmp_path}/again.db"
    run_in_threads(again, spec(repeats=1))
    for url in urls:
        shutil.copy(tmp_path / "again.db", url.removeprefix("sqlite:///"))
    resume("tiny", repeats=2, db=urls[0], workers=1)
    resume("tiny", trials=6, db=urls[0], workers=1)
    resume("tiny", trials=6, db=urls[1], workers=1)
    resume("tiny", repeats=2, db=urls[1], workers=1)
    resume("tiny", trials=6, repeats=2, db=urls[2], workers=1)
    histories = [load("tiny", db=url).record.extended_from for url in urls]
    assert histories == [({"trials": 4},), ({"trials": 4}, {"repeats": 1}), ({"trials": 4, "repeats": 1},)]
    assert len({load("tiny", db=url).record.spec["trials"] for url in urls}) == 1
    resume("tiny", trials=6, db=again, workers=1)
    assert print_of(resume("tiny", repeats=2, db=again, workers=1).record) == print_of(load("tiny", db=urls[1]).record)


def test_what_an_older_ledger_was_extended_from_is_kept(tmp_path: Path) -> None:
    """Until revision 0004 it was a list of numbers of trials."""
    url = f"sqlite:///{tmp_path}/old.db"
    record = run_in_threads(url, spec())
    with closing(sqlite3.connect(f"{tmp_path}/old.db")) as connection:
        connection.executescript(
            """
            PRAGMA foreign_keys = OFF;
            UPDATE cooldown_experiments SET extended_from = '[4, 6]';
            DELETE FROM cooldown_curves WHERE trial_id IN (SELECT t.id FROM cooldown_trials t JOIN cooldown_studies s
                ON s.id = t.study_id WHERE s.variant = 'default');
            DELETE FROM cooldown_trials WHERE study_id IN (SELECT id FROM cooldown_studies WHERE variant = 'default');
            CREATE TABLE old (id INTEGER NOT NULL, experiment_id INTEGER NOT NULL, arm VARCHAR(400) NOT NULL,
                repeat INTEGER NOT NULL, optuna_study_id INTEGER NOT NULL, sampler_state JSON NOT NULL,
                PRIMARY KEY (id), UNIQUE (experiment_id, arm, repeat),
                FOREIGN KEY(experiment_id) REFERENCES cooldown_experiments (id) ON DELETE CASCADE);
            INSERT INTO old SELECT id, experiment_id, arm, repeat, optuna_study_id, sampler_state FROM cooldown_studies
                WHERE variant = 'tuned';
            DROP TABLE cooldown_studies;
            ALTER TABLE old RENAME TO cooldown_studies;
            CREATE INDEX ix_cooldown_studies_experiment_id ON cooldown_studies (experiment_id);
            ALTER TABLE cooldown_curves DROP COLUMN uninformed_score;
            ALTER TABLE cooldown_curves DROP COLUMN rmse;
            ALTER TABLE cooldown_curves DROP COLUMN mae;
            DROP TABLE cooldown_references;
            ALTER TABLE cooldown_experiments DROP COLUMN looks;
            ALTER TABLE cooldown_experiments DROP COLUMN appends;
            DROP INDEX ix_cooldown_experiments_queue;
            ALTER TABLE cooldown_experiments DROP COLUMN priority;
            ALTER TABLE cooldown_experiments DROP COLUMN queued_at;
            ALTER TABLE cooldown_experiments DROP COLUMN requested;
            ALTER TABLE cooldown_experiments DROP COLUMN requeues;
            ALTER TABLE cooldown_experiments DROP COLUMN follows_plan;
            ALTER TABLE cooldown_experiments DROP COLUMN time_limit;
            ALTER TABLE cooldown_experiments DROP COLUMN max_gradient_evaluations;
            ALTER TABLE cooldown_experiments DROP COLUMN seconds;
            ALTER TABLE cooldown_experiments DROP COLUMN owner;
            ALTER TABLE cooldown_experiments DROP COLUMN tags;
            ALTER TABLE cooldown_experiments DROP COLUMN notes;
            DROP INDEX uq_cooldown_submission;
            ALTER TABLE cooldown_experiments DROP COLUMN submission;
            ALTER TABLE cooldown_experiments DROP COLUMN submitted;
            DROP INDEX ix_cooldown_experiments_newest;
            DROP INDEX ix_cooldown_experiments_asked;
            ALTER TABLE cooldown_experiments DROP COLUMN spec_digest;
            ALTER TABLE cooldown_experiments DROP COLUMN asked;
            ALTER TABLE cooldown_experiments DROP COLUMN alarms;
            DROP TABLE cooldown_work;
            DROP TABLE cooldown_deliveries;
            DROP TABLE cooldown_webhooks;
            DROP TABLE cooldown_loops;
            DROP TABLE cooldown_asked_runs;
            DROP TABLE cooldown_tokens;
            DROP TABLE cooldown_audit;
            DROP TABLE cooldown_dataset_owners;
            DROP TABLE cooldown_datasets;
            UPDATE cooldown_version SET version_num = '0003';
            """
        )
    migrated = load("tiny", db=url).record
    assert migrated.extended_from == ({"trials": 4}, {"trials": 6})
    assert migrated.default_configs == ()
    assert arm_fingerprints(migrated.studies) == arm_fingerprints(record.studies)
    Ledger(url).delete("tiny")
    with closing(sqlite3.connect(f"{tmp_path}/old.db")) as connection:
        assert connection.execute("SELECT count(*) FROM cooldown_studies").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM cooldown_curves").fetchone() == (0,)
