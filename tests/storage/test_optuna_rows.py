"""Optuna's readers open a ledger: the library, its command line and its dashboard."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import numpy as np
import optuna
import optuna.cli
import optuna_dashboard
import pytest
from alembic.script import ScriptDirectory
from ledger_examples import (
    EPOCHS,
    complete_experiment,
    curve,
    generation,
    held,
    new_trial,
    rows,
    study_of,
)
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from cooldown.objectives import Curve
from cooldown.storage import Ledger, LedgerError, Purpose, StudyKey, UnreadableError
from cooldown.storage.fingerprint import fingerprint
from cooldown.storage.health import examine
from cooldown.storage.optuna_rows import MIGRATED_TO

pytestmark = pytest.mark.databases

NAME = "<script>alert('🧊')</script>"
STUDY = f"{NAME}/adam/0"


@contextmanager
def optunas(url: str) -> Iterator[RDBStorage]:
    """Optuna's own storage on the file, after its check of the schema; closed at the end."""
    opened = RDBStorage(url)
    try:
        yield opened
    finally:
        opened.remove_session()
        opened.engine.dispose()


@pytest.fixture
def storage(ledger: Ledger, url: str) -> Iterator[RDBStorage]:
    complete_experiment(ledger, NAME)
    with optunas(url) as opened:
        yield opened


def test_optuna_reads_what_the_ledger_holds(ledger: Ledger, storage: RDBStorage) -> None:
    ours = study_of(ledger, NAME)
    study = optuna.load_study(study_name=STUDY, storage=storage)
    assert study.direction is optuna.study.StudyDirection.MINIMIZE
    assert len(study.trials) == len(ours.trials) == 5
    for theirs, trial in zip(study.trials, ours.trials, strict=True):
        assert theirs.number == trial.number
        assert theirs.state is TrialState.COMPLETE
        assert theirs.params == trial.parameters
        assert theirs.value == trial.validation_loss
        assert theirs.system_attrs == trial.attributes
        curves = next(iter(trial.curves.values()))
        expected = np.mean([curve.capped_losses(EPOCHS) for curve in curves], axis=0)
        assert theirs.intermediate_values == dict(enumerate(expected.tolist(), start=1))
    assert study.trials[4].intermediate_values == {1: (2.25 + 1.0) / 2, 2: 2.25, 3: 2.25}
    assert study.best_trial.number == ours.best(1)[0].number
    assert study._storage.get_study_system_attrs(study._study_id) == {"state": 2}
    assert study.trials_dataframe().shape[0] == 5


def test_the_distributions_are_the_searchs_own(storage: RDBStorage) -> None:
    (distributions, *others) = [t.distributions for t in optuna.load_study(study_name=STUDY, storage=storage).trials]
    assert distributions == {
        "optimizer": CategoricalDistribution(["adam", "momentum"]),
        "adam.learning_rate": FloatDistribution(1e-5, 1.0, log=True),
        "sgdr.warmup_steps": IntDistribution(0, 100),
    }
    assert all(other == distributions for other in others)


def test_times_are_utc_and_in_order(ledger: Ledger, url: str) -> None:
    before = datetime.now(UTC)
    with held(ledger) as writer:
        writer.append_generation(study_of(ledger), 0, generation(0), {})
    with optunas(url) as storage:
        for trial in optuna.load_study(study_name="digits/adam/0", storage=storage).trials:
            assert trial.datetime_start is not None
            assert trial.datetime_complete is not None
            assert trial.duration is not None
            start, complete = (time.astimezone(UTC) for time in (trial.datetime_start, trial.datetime_complete))
            assert start == datetime.fromtimestamp(1.7e9 + trial.number, UTC)
            assert timedelta() <= complete - before < timedelta(minutes=5)
            assert trial.duration == complete - start


def test_values_that_are_not_finite_are_kept_as_optuna_keeps_them(ledger: Ledger, url: str) -> None:
    infinite = [Curve(**{**vars(curve(seed, [1.0, 3.0, np.inf])), "uninformed_loss": float("inf")}) for seed in (1, 2)]
    with held(ledger) as writer:
        writer.append_generation(study_of(ledger), 0, [new_trial(0, infinite)], {})
    with optunas(url) as storage:
        (trial,) = optuna.load_study(study_name="digits/adam/0", storage=storage).trials
        assert trial.value == float("inf")
        assert trial.intermediate_values == {1: 1.0, 2: 3.0, 3: float("inf")}
    assert rows(ledger, "SELECT validation_loss FROM cooldown_trials") == [(float("inf"),)]
    with pytest.raises(UnreadableError, match="final_loss should be a finite number, got inf"):
        ledger.load("digits")


def test_optuna_goes_on_optimizing_and_the_ledger_stays_as_it_was(ledger: Ledger, storage: RDBStorage) -> None:
    before = fingerprint(ledger.load(NAME).studies)
    study = optuna.load_study(study_name=STUDY, storage=storage)

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("adam.learning_rate", 1e-5, 1.0, log=True)
        trial.report(0.3, 1)
        return 0.25

    study.optimize(objective, n_trials=1)
    assert [trial.number for trial in study.trials] == list(range(6))
    assert study.best_trial.number == 5
    assert fingerprint(ledger.load(NAME).studies) == before
    ledger.delete(NAME)
    for table in ("studies", "trials", "trial_params", "trial_values", "trial_intermediate_values"):
        assert rows(ledger, f"SELECT count(*) FROM {table}") == [(0,)]
    assert examine(ledger) == []


def test_a_study_that_optuna_made_in_the_file_is_not_touched(ledger: Ledger, storage: RDBStorage) -> None:
    optuna.create_study(storage=storage, study_name="mine/adam/0").add_trial(optuna.create_trial(value=1.0))
    with pytest.raises(LedgerError, match=r"UNIQUE|unique"):
        ledger.create("mine", {}, "", [StudyKey("adam", 0)])
    ledger.delete(NAME)
    assert optuna.get_all_study_names(storage) == ["mine/adam/0"]
    assert ledger.summaries() == []


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optunas_command_line_opens_a_ledger(
    storage: RDBStorage, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # From then on, this process would tell what all libraries log.
    monkeypatch.setattr(optuna.cli, "_set_verbosity", lambda _: None)

    def optuna_cli(*arguments: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["optuna", *arguments, "--format", "json"])
        with ExitStack() as opened:
            # It ends with its process, and closes nothing itself.
            monkeypatch.setattr(optuna.cli, "RDBStorage", lambda address: opened.enter_context(optunas(address)))
            assert optuna.cli.main() == 0
        return json.loads(capsys.readouterr().out)

    studies = optuna_cli("studies", "--storage", url)
    assert [(study["name"], study["direction"], study["n_trials"]) for study in studies] == [
        (f"{NAME}/momentum+sgdr/0", ["MINIMIZE"], 5),
        (STUDY, ["MINIMIZE"], 5),
    ]
    trials = optuna_cli("trials", "--storage", url, "--study-name", STUDY)
    assert [trial["number"] for trial in trials] == list(range(5))
    assert {trial["state"] for trial in trials} == {"COMPLETE"}
    best = optuna_cli("best-trial", "--storage", url, "--study-name", STUDY)
    assert (best["number"], best["value"]) == (0, 0.5)
    assert best["params"]["adam.learning_rate"] == 0.001


def test_optunas_dashboard_opens_a_ledger(storage: RDBStorage) -> None:
    application = optuna_dashboard.wsgi(storage)

    def get(path: str) -> Any:
        environment: dict[str, Any] = {"PATH_INFO": path, "wsgi.errors": io.StringIO()}
        setup_testing_defaults(environment)
        status = []
        body = b"".join(application(environment, lambda line, *_: status.append(line)))
        assert status == ["200 OK"], body
        return json.loads(body)

    summaries = get("/api/studies")["study_summaries"]
    assert [summary["study_name"] for summary in summaries] == [f"{NAME}/momentum+sgdr/0", STUDY]
    detail = get(f"/api/studies/{summaries[1]['study_id']}")
    assert detail["trials"][0]["values"] == [0.5]
    assert [trial["state"] for trial in detail["trials"]] == ["Complete"] * 5
    assert detail["trials"][0]["intermediate_values"][0] == {"step": 1, "value": 1.5}
    assert {parameter["name"] for parameter in detail["trials"][0]["params"]} == {
        "optimizer",
        "adam.learning_rate",
        "sgdr.warmup_steps",
    }


def test_optuna_dashboard_lists_searches_first_and_says_what_each_study_is(ledger: Ledger, storage: RDBStorage) -> None:
    keys = [*(StudyKey(arm, repeat) for arm in ("sgd", "adam") for repeat in (0, 1)), StudyKey("adam", 0, True)]
    ledger.create("mine", {"task": "iris", "seeds": 3, "seed": 7}, "data", [keys[-1], *keys[:-1]])
    ledger.extend("mine", {"task": "iris", "seeds": 3, "seed": 7}, [*keys, StudyKey("adam", 0, attempt=1)], [])
    studies = optuna.get_all_study_summaries(storage)
    # As its page does: by falling number, unless it is told otherwise.
    listed = sorted((study for study in studies if study.study_name.startswith("mine/")), key=lambda s: -s._study_id)
    assert [study.study_name for study in listed] == [
        "mine/adam/0/widened-1",
        *("mine/sgd/0", "mine/sgd/1", "mine/adam/0", "mine/adam/1"),
        "mine/~default/adam/0",
    ]
    assert max(study.study_name for study in listed) == "mine/~default/adam/0"
    about = {"experiment": "mine", "task": "iris", "seeds": 3, "seed": 7, "arm": "adam", "repeat": 0}
    assert listed[-1].user_attrs == {**about, "purpose": "default config"}
    assert listed[0].user_attrs == {**about, "purpose": "search", "widened": 1}


def test_a_trial_names_the_seeds_of_its_replicates(ledger: Ledger, storage: RDBStorage) -> None:
    study, ours = optuna.load_study(study_name=STUDY, storage=storage), study_of(ledger, NAME)
    for theirs, trial in zip(study.trials, ours.trials, strict=True):
        assert theirs.user_attrs == {"seeds": [each.seed for each in trial.curves[Purpose.SEARCH]]}


def test_optunas_tables_are_stamped_with_the_last_of_its_migrations() -> None:
    scripts = ScriptDirectory(str(Path(optuna.__file__).parent / "storages" / "_rdb" / "alembic"))
    assert scripts.get_current_head() == MIGRATED_TO
