"""`ScheduledSearchCV`: scikit-learn's checks, what it searches and refits, and the ledger that it keeps or removes."""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from cooldown import load
from cooldown.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor, ScheduledSearchCV
from cooldown.objectives.errors import InputError
from cooldown.storage.ledger import Ledger

X_IRIS, y_iris = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y_iris]
X_DIABETES, y_diabetes = load_diabetes(return_X_y=True)
QUICK = {"seeds": 1, "finalists": 1, "finalist_seeds": 1, "confirm_seeds": 1, "generation": 1}


def search(estimator: Any = None, **parameters: Any) -> ScheduledSearchCV:
    given = {"arms": ["adam"], "trials": 1, "repeats": 1, "compare_params": QUICK, "random_state": 0, **parameters}
    return ScheduledSearchCV(estimator or ScheduledMLPClassifier((8,), epochs=20), **given)


SPLIT_AT_RANDOM = {f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")}
"""Checks that no search can pass: rows are split at random, as those of GridSearchCV, and a row that is there twice
may be in two parts.
"""


def checks() -> list[Any]:
    """Each check of scikit-learn's; one that is for both kinds of estimators with these in turn, in full with both."""
    found = {
        type(given.estimator).__name__: [
            each for each in estimator_checks_generator(given) if name_of(each) not in SPLIT_AT_RANDOM
        ]
        for given in (search(), search(ScheduledMLPRegressor(epochs=20)))
    }
    assert sum(map(len, found.values())) > 80
    both = sorted(set.intersection(*({name_of(each) for each in of_kind} for of_kind in found.values())))
    left_out = dict(zip(found, (both[::2], both[1::2]), strict=True))
    return [
        pytest.param(
            *each,
            id=f"{kind}-{name_of(each)}",
            marks=[pytest.mark.full] if name_of(each) in left_out[kind] else [],
        )
        for kind, of_kind in found.items()
        for each in of_kind
    ]


def name_of(estimator_and_check: tuple[Any, Any]) -> str:
    return str(estimator_and_check[1].func.__name__)


@pytest.mark.parametrize(("estimator", "check"), checks())
def test_scikit_learns_checks(estimator: Any, check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    check(estimator)


@pytest.fixture(scope="module")
def fitted() -> ScheduledSearchCV:
    return search(arms=["momentum+cosine", "adam"], repeats=2, workers=1).fit(X_IRIS, NAMES)


def test_the_best_config_is_trained_on_all_rows(fitted: ScheduledSearchCV) -> None:
    network = ScheduledMLPClassifier.from_config(
        fitted.best_config_, hidden_layer_sizes=(8,), random_state=fitted.result_.record.spec["seed"]
    )
    by_hand = make_pipeline(StandardScaler(), network).fit(X_IRIS, NAMES)
    assert np.array_equal(fitted.predict_proba(X_IRIS), by_hand.predict_proba(X_IRIS))
    assert np.array_equal(fitted.predict_log_proba(X_IRIS), by_hand.predict_log_proba(X_IRIS))
    assert fitted.score(X_IRIS, NAMES) == by_hand.score(X_IRIS, NAMES)
    assert fitted.predict(X_IRIS).tolist() == by_hand.predict(X_IRIS).tolist()
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]


def test_the_result_is_that_of_compare(fitted: ScheduledSearchCV) -> None:
    spec = fitted.result_.record.spec
    assert (spec["arms"], spec["trials"], spec["repeats"], spec["epochs"]) == (["momentum+cosine", "adam"], 1, 2, 20)
    assert fitted.best_config_ == fitted.result_.best(fitted.best_arm_)
    losses = {arm: np.mean([s.selection_loss for s in fitted.result_.view.searches(arm)]) for arm in spec["arms"]}
    assert fitted.best_arm_ == min(losses, key=lambda arm: losses[arm])
    assert fitted.result_.answer.word in ("yes", "no", "open", "tie")


def test_a_known_rate_is_kept_and_learns() -> None:
    known = search(compare_params={**QUICK, "ranges": {"adam.learning_rate": 0.03}}).fit(X_IRIS, y_iris)
    assert known.best_config_.optimizer.hyperparameters["learning_rate"] == 0.03
    assert known.score(X_IRIS, y_iris) > 0.9


def test_equal_random_states_give_equal_searches() -> None:
    first, again, other = (search(random_state=state).fit(X_IRIS, y_iris) for state in (3, 3, 4))
    assert first.result_.view.fingerprint == again.result_.view.fingerprint != other.result_.view.fingerprint
    assert np.array_equal(first.predict_proba(X_IRIS), again.predict_proba(X_IRIS))
    own = search(ScheduledMLPClassifier((8,), epochs=20, random_state=5)).fit(X_IRIS, y_iris)
    assert own.best_estimator_["network"].random_state == 5


def test_without_a_ledger_nothing_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    search().fit(X_IRIS, y_iris)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="unknown optimizer 'adm'"):
        search(arms=["adm"]).fit(X_IRIS, y_iris)
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_keeps_the_experiment_which_a_further_fit_continues(tmp_path: Path) -> None:
    db = tmp_path / "kept.db"
    kept = search(db=db, name="mine").fit(X_IRIS, y_iris)
    assert load("mine", db=db).to_json() == kept.result_.to_json()
    again = clone(kept).fit(X_IRIS, y_iris)
    assert np.array_equal(again.predict_proba(X_IRIS), kept.predict_proba(X_IRIS))
    search(db=db, random_state=1).fit(X_IRIS, y_iris)
    assert [summary.name for summary in Ledger(f"sqlite:///{db}").summaries()] == ["rows", "mine"]


def test_the_estimator_says_what_is_searched_for() -> None:
    estimator = ScheduledMLPClassifier(
        (6, 5),
        "tanh",
        batch_size=16,
        epochs=3,
        dropout=0.1,
        early_stopping=True,
        n_seeds=2,
        class_weight={"setosa": 2.0},
    )
    found = search(estimator, compare_params={**QUICK, "ranges": {"adam": {"beta2": 0.9}}}).fit(X_IRIS, NAMES)
    spec, network = found.result_.record.spec, found.best_estimator_["network"]
    assert spec["class_weight"] == {"setosa": 2.0}
    assert (found.best_config_.batch_size, found.best_config_.epochs) == (16, 3)
    assert (found.best_config_.dropout, found.best_config_.early_stopping) == (0.1, 10)
    assert found.best_config_.optimizer.hyperparameters["beta2"] == 0.9
    assert network.to_config() == found.best_config_
    assert (network.hidden_layer_sizes, network.activation, network.n_seeds) == ((6, 5), "tanh", 2)
    assert network.class_weight == {"setosa": 2.0}
    # Two hidden layers of tanh: other losses than those of the default network.
    plain = search(ScheduledMLPClassifier((6, 5), epochs=3)).fit(X_IRIS, NAMES)
    assert plain.result_.record.task_fingerprint != found.result_.record.task_fingerprint
    searched = search(estimator, compare_params={**QUICK, "ranges": {"strategy.dropout": 0.3}}).fit(X_IRIS, NAMES)
    assert searched.best_config_.dropout == 0.3


def test_weights_reach_the_search_and_the_refit() -> None:
    weights = np.where(y_iris == 0, 5.0, 1.0)
    weights[:10] = 0.0
    weighted = search().fit(X_IRIS, y_iris, sample_weight=weights)
    left_out = search().fit(X_IRIS[10:], y_iris[10:], sample_weight=weights[10:])
    assert np.array_equal(weighted.predict_proba(X_IRIS), left_out.predict_proba(X_IRIS))
    plain = search().fit(X_IRIS[10:], y_iris[10:])
    assert weighted.result_.view.fingerprint != plain.result_.view.fingerprint
    network = ScheduledMLPClassifier.from_config(
        weighted.best_config_, hidden_layer_sizes=(8,), random_state=weighted.result_.record.spec["seed"]
    )
    scaled = StandardScaler().fit(X_IRIS[10:])
    network.fit(scaled.transform(X_IRIS[10:]), y_iris[10:], sample_weight=weights[10:])
    assert np.array_equal(network.predict_proba(scaled.transform(X_IRIS)), weighted.predict_proba(X_IRIS))


def test_a_regressor_predicts_in_the_units_of_its_target() -> None:
    found = search(ScheduledMLPRegressor(epochs=30)).fit(X_DIABETES, y_diabetes)
    assert is_regressor(found)
    assert not is_classifier(found)
    assert abs(found.predict(X_DIABETES).mean() - y_diabetes.mean()) < 20
    assert found.score(X_DIABETES, y_diabetes) > 0.4
    assert not hasattr(found, "predict_proba")
    assert not hasattr(found, "classes_")


def test_pickled_and_back_it_predicts_and_answers_the_same(fitted: ScheduledSearchCV) -> None:
    assert fitted.result_.answer  # What the result keeps of its evidence is not pickled.
    back = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(back.predict_proba(X_IRIS), fitted.predict_proba(X_IRIS))
    assert back.result_.to_json() == fitted.result_.to_json()


def test_a_pickle_holds_no_training_rows() -> None:
    wide = np.tile(X_IRIS, (4, 500))
    linear = ScheduledMLPClassifier((), epochs=1)
    assert len(pickle.dumps(search(linear).fit(wide, np.tile(y_iris, 4)))) < wide.nbytes / 20


def test_in_a_pipeline_a_cross_validation_and_with_nested_parameters() -> None:
    pipeline = make_pipeline(MinMaxScaler(), search())
    pipeline.set_params(scheduledsearchcv__estimator__hidden_layer_sizes=(4,))
    assert cross_val_score(pipeline, X_IRIS, y_iris, cv=2).min() > 0.5
    assert clone(search()).get_params()["estimator__epochs"] == 20


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"estimator": MinMaxScaler()}, r"estimator=\.\.\.\): must be a ScheduledMLPClassifier or a Scheduled"),
        ({"name": "mine"}, r"name='mine'\): needs db="),
        ({"compare_params": ["seeds"]}, r"compare_params=\.\.\.\): must be a dict of arguments of compare"),
        ({"compare_params": {"seed": 3}}, r"must not have 'seed', which the search sets itself"),
        ({"compare_params": {"trails": 3}}, "unknown setting 'trails'; did you mean 'trials'"),
        ({"estimator": ScheduledMLPClassifier(optimizer="adm")}, "unknown optimizer 'adm'"),
        ({"trials": 0}, "trials: should be greater than or equal to 1, got 0"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        search(**parameters).fit(X_IRIS, y_iris)


def test_rows_that_cannot_be_split() -> None:
    with pytest.raises(InputError, match=r"n_samples=54.*at least 5 rows of each class.*class 'versicolor' has 4"):
        search().fit(X_IRIS[:54], NAMES[:54])
    with pytest.raises(InputError, match=r"n_samples=9.*at least 10 rows"):
        search(ScheduledMLPRegressor()).fit(X_DIABETES[:9], y_diabetes[:9])
    one_left = np.eye(150)[0]
    with pytest.raises(InputError, match=r"n_samples=1,.*at least 5 rows of each class.*class 0 has 1"):
        search().fit(X_IRIS, y_iris, sample_weight=one_left)


@pytest.mark.processes
def test_the_estimators_load_the_search_only_where_it_is_used() -> None:
    code = """
import sys
from cooldown.estimators import ScheduledMLPClassifier
print(sorted(name for name in ("optuna", "sqlalchemy", "cooldown.search") if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "[]"
