"""scikit-learn's own checks in full, and its tools around the estimators."""

import os
import pickle
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator
from small_fits import NAMES, X_DIABETES, X_IRIS, classifier, regressor, y_diabetes, y_iris

from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor


@pytest.fixture
def scipy_array_api(monkeypatch):
    """One check gives NumPy arrays with array API dispatch enabled; without this variable it would skip itself."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


ESTIMATORS = [
    ScheduledMLPClassifier(),
    ScheduledMLPRegressor(),
    ScheduledMLPClassifier(learning_rate=0.01, n_seeds=2, early_stopping=3),
    ScheduledMLPRegressor(learning_rate=0.01, n_seeds=2, schedule="plateau"),
    ScheduledMLPClassifier((), learning_rate=0.05, dtype="float64"),
    ScheduledMLPRegressor((16, 16), activation="tanh", schedule="one_cycle", batch_norm=True, learning_rate=0.01),
]


def checks():
    """Each check of scikit-learn's with one of the classifiers and one of the regressors, in turn; in full with all."""
    found = defaultdict(list)
    for estimator in ESTIMATORS:
        for _, check in estimator_checks_generator(estimator):
            of_check = f"{check.func.__name__} {check.keywords}".strip(" {}")
            found[type(estimator).__name__, of_check].append((estimator, check))
    return [
        pytest.param(
            *row, id=f"{kind}-{of_check}-{number}", marks=() if number == turn % len(rows) else pytest.mark.full
        )
        for turn, ((kind, of_check), rows) in enumerate(found.items())
        for number, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("estimator", "check"), checks())
@pytest.mark.usefixtures("scipy_array_api")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.processes
def test_the_array_api_where_scipy_has_it_too():
    """The check of dispatch in a process of its own, where scipy was imported with the variable set."""
    code = """
from sklearn.utils.estimator_checks import check_array_api_input
from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
for estimator in (ScheduledMLPClassifier(), ScheduledMLPRegressor()):
    name = type(estimator).__name__
    check_array_api_input(name, estimator, array_namespace="numpy", expect_only_array_outputs=False)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_in_a_pipeline_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), classifier(epochs=30))
    X, y = load_iris(return_X_y=True)
    assert cross_val_score(pipeline, X, y, cv=5).mean() > 0.93
    pipeline = make_pipeline(StandardScaler(), regressor(epochs=30))
    X, y = load_diabetes(return_X_y=True)
    assert cross_val_score(pipeline, X, y, cv=5).mean() > 0.4


def test_a_grid_search_over_rate_optimizer_and_schedule():
    grid = {"learning_rate": [1e-5, 0.02], "schedule": ["constant", "cosine"], "optimizer": ["momentum", "adam"]}
    search = GridSearchCV(classifier(epochs=10), grid, cv=3).fit(X_IRIS, y_iris)
    assert search.best_params_["learning_rate"] == 0.02
    assert search.best_score_ > 0.9
    lone = GridSearchCV(classifier(), {"optimizer_params": [{"beta1": 0.5}, {"beta1": 0.9}]}, cv=3)
    assert lone.fit(X_IRIS, y_iris).best_estimator_.to_config().optimizer.hyperparameters["beta1"] in (0.5, 0.9)


@pytest.mark.parametrize("make", [classifier, regressor])
@pytest.mark.parametrize("n_seeds", [1, 3])
def test_pickled_and_back_it_predicts_the_same_and_trains_on_the_same(make, n_seeds):
    X, y = (X_IRIS, NAMES) if make is classifier else (X_DIABETES, y_diabetes)
    whole = make(n_seeds=n_seeds, dropout=0.1, gradient_noise=0.1).fit(X, y)
    back = pickle.loads(pickle.dumps(whole))
    assert np.array_equal(back.predict(X), whole.predict(X))
    whole.partial_fit(X, y)
    assert np.array_equal(back.partial_fit(X, y)._theta, whole._theta)


def test_a_pickle_holds_no_training_rows():
    X = np.tile(X_IRIS, (40, 50))
    assert len(pickle.dumps(classifier(hidden_layer_sizes=(), epochs=1).fit(X, np.tile(y_iris, 40)))) < X.nbytes / 20


def test_a_clone_is_unfitted_with_the_same_parameters():
    fitted = classifier(optimizer_params={"beta1": 0.8}, hidden_layer_sizes=[8]).fit(X_IRIS, y_iris)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(X_IRIS)


def test_what_set_params_changes_does_not_change_a_trained_network():
    fitted = classifier(n_seeds=2).fit(X_IRIS, y_iris)
    before = fitted.predict_proba(X_IRIS)
    fitted.set_params(hidden_layer_sizes=(7,), activation="tanh", batch_norm=True, n_seeds=5)
    assert np.array_equal(fitted.predict_proba(X_IRIS), before)
