"""References: what scikit-learn gives on the same rows, called directly; capped like an arm; the same bits again."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.preprocessing import StandardScaler

from cooldown import tasks
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.references import LOGISTIC, NO_MODEL, RIDGE, TREES, trained

SEEDS = [3, 4]


def of_task(task: tasks.Task, *, watching: bool = False) -> tuple[Any, dict[str, Any], tuple[Any, ...]]:
    """The first problem of an evaluation, its references by name, and X, y of its rows as the user has them."""
    problem = task.evaluation_problems(0, 1, SEEDS, watching=watching)[0]
    rows = task.split(0, 1, SEEDS[0])
    assert isinstance(task, tasks.ArrayTask)
    X, y = task.data
    train = rows.train if watching else rows.rest
    found = {reference.name: reference for reference in trained(problem, task.references)}
    # An evaluation's features are scaled by all rows but the test rows.
    scaler = StandardScaler().fit(X[rows.rest])
    return problem, found, (scaler.transform(X[train]), y[train], scaler.transform(X[rows.test]), y[rows.test])


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_classifiers_are_those_of_scikit_learn_on_the_same_rows(name: str, watching: bool) -> None:
    problem, found, (X, y, X_test, y_test) = of_task(tasks.get(name), watching=watching)
    assert list(found) == [NO_MODEL, LOGISTIC, TREES]
    for estimator, reference in (
        (LogisticRegression(max_iter=1000), found[LOGISTIC]),
        (HistGradientBoostingClassifier(random_state=0), found[TREES]),
    ):
        probabilities = estimator.fit(X, y).predict_proba(X_test)
        assert reference.loss == pytest.approx(min(log_loss(y_test, probabilities), problem.uninformed_loss), rel=1e-9)
        assert reference.score == pytest.approx(np.mean(probabilities.argmax(axis=1) == y_test))
        assert np.isnan(reference.errors.rmse)
    assert (found[NO_MODEL].loss, found[NO_MODEL].score) == (problem.uninformed_loss, problem.uninformed_score)


@pytest.mark.parametrize("watching", [False, True])
def test_regressors_are_those_of_scikit_learn_on_the_same_rows(watching: bool) -> None:
    task = tasks.get("diabetes")
    _, found, (X, y, X_test, y_test) = of_task(task, watching=watching)
    assert list(found) == [NO_MODEL, RIDGE, TREES]
    rest = task.split(0, 1, SEEDS[0]).rest
    mean, deviation = task.data[1][rest].mean(), task.data[1][rest].std()  # type: ignore[attr-defined]
    for estimator, reference in (
        (Ridge(), found[RIDGE]),
        (HistGradientBoostingRegressor(random_state=0), found[TREES]),
    ):
        predicted = mean + deviation * estimator.fit(X, (y - mean) / deviation).predict(X_test)
        assert reference.loss == pytest.approx(mean_squared_error(y_test, predicted) / deviation**2)
        assert reference.score == pytest.approx(r2_score(y_test, predicted))
        assert reference.errors.rmse == pytest.approx(root_mean_squared_error(y_test, predicted))
        assert reference.errors.mae == pytest.approx(mean_absolute_error(y_test, predicted))
    no_model = np.full(len(y_test), mean)
    assert found[NO_MODEL].errors.rmse == pytest.approx(root_mean_squared_error(y_test, no_model))
    assert found[NO_MODEL].errors.mae == pytest.approx(mean_absolute_error(y_test, no_model))


def test_which_references_a_task_has() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    several = tasks.from_arrays(X, rng.normal(size=60), name="one")
    assert several.references == (NO_MODEL, RIDGE, TREES)
    several = replace(several, load=lambda: (X, np.column_stack([X[:, 0], X[:, 1] + X[:, 2]])))
    assert several.references == (NO_MODEL, RIDGE), "trees would take a model for each target"
    (_, ridge) = trained(several.evaluation_problems(0, 0, [1])[0], several.references)
    assert ridge.score > 0.95
    assert replace(several, load=lambda: (X, X)).references == (NO_MODEL,), "a linear model would copy its input"


def test_a_users_own_model_has_no_model_if_its_loss_is_known() -> None:
    class Model:
        size = 2

        def init(self, rng: Any) -> Any:
            return rng.normal(size=2)

        def loss_and_gradient(self, theta: Any, indices: Any) -> Any:
            return (theta**2).sum(axis=1), 2 * theta

    assert tasks.from_model(Model(), n_samples=20, name="own").references == ()
    known = tasks.from_model(Model(), n_samples=20, name="own", uninformed_loss=2.5)
    assert known.references == (NO_MODEL,)
    (reference,) = trained(known.evaluation_problems(0, 0, [1])[0], known.references)
    assert (reference.name, reference.loss) == (NO_MODEL, 2.5)
    assert np.isnan(reference.score)


def test_a_loss_above_the_baseline_is_capped_with_its_errors_and_not_its_score() -> None:
    """Noise that is learned by heart predicts worse than its mean."""
    rng = np.random.default_rng(1)
    task = tasks.from_arrays(rng.normal(size=(80, 30)), rng.normal(size=80), name="noise")
    problem = task.evaluation_problems(0, 0, [1])[0]
    _, ridge, _ = trained(problem, task.references)
    assert problem.units is not None
    assert ridge.loss == problem.uninformed_loss
    assert ridge.errors == problem.units.uninformed
    assert ridge.score < problem.uninformed_score


def test_a_class_that_no_training_row_has_is_counted() -> None:
    X = np.random.default_rng(2).normal(size=(60, 2))
    y = np.repeat([0, 1, 2], 20)
    task = tasks.from_arrays(X + y[:, None], y, name="three")
    two = task.problem(np.arange(40), np.arange(40, 60))
    found = trained(two, task.references)
    assert [reference.name for reference in found] == list(task.references)
    assert {reference.loss for reference in found} == {two.uninformed_loss}, "its probability was 0"
    assert {reference.score for reference in found[1:]} == {0.0}
    one = task.problem(np.arange(20), np.arange(20, 60))
    assert [reference.name for reference in trained(one, task.references)] == [NO_MODEL], "nothing can be learned"


def test_the_same_bits_again() -> None:
    problem = tasks.get("breast_cancer").evaluation_problems(0, 0, [1])[0]
    first, again = (trained(problem, (LOGISTIC, TREES)) for _ in range(2))
    assert [replace(each, seconds=0.0) for each in first] == [replace(each, seconds=0.0) for each in again]


def test_they_are_measured_and_weighted_as_the_arms_are() -> None:
    task = tasks.get("breast_cancer").with_aim(Aim(objective="roc_auc", metric="f1", class_weight="balanced"))
    problem, found, (X, y, X_test, y_test) = of_task(task)
    weighted = LogisticRegression(max_iter=1000, class_weight="balanced").fit(X, y)
    assert found[LOGISTIC].loss == pytest.approx(1 - roc_auc_score(y_test, weighted.predict_proba(X_test)[:, 1]))
    assert found[LOGISTIC].score == pytest.approx(f1_score(y_test, weighted.predict(X_test)))
    assert found[NO_MODEL].loss == problem.uninformed_loss == 0.5
    logs = tasks.get("diabetes").with_aim(Aim(metric="mae", target_transform="log"))
    for name, reference in of_task(logs)[1].items():
        assert reference.score == pytest.approx(reference.errors.mae), f"{name}: both in the target's own units"
