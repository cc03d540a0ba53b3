"""Problems of a task: which rows a run may see, how they are scaled, what the uninformed predictor scores."""

from dataclasses import replace

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.preprocessing import StandardScaler
from small_tasks import marked

from cooldown.objectives import tasks
from cooldown.objectives.data.splits import split
from cooldown.objectives.problem import Problem


def rows(problem: Problem, part: str) -> list[int]:
    indices = problem.train if part == "train" else problem.held_out
    return problem.model.X[indices, 0].astype(int).tolist()


# --- splits


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_search_never_holds_the_test_rows(kind):
    task = marked(kind=kind)
    test = set(rows(task.evaluation_problem(3), "held_out"))
    seen = set(rows(task.evaluation_problem(3), "train"))
    assert len(test) == 20
    assert test | seen == set(range(100))
    for repeat in range(3):
        problem = task.search_problem(3, repeat)
        assert len(problem.model.X) == len(problem.model.y) == 80
        assert set(problem.model.X[:, 0].astype(int)) == seen
        assert problem.train.tolist() == list(range(60))
        assert problem.held_out.tolist() == list(range(60, 80))
        assert set(rows(problem, "train")).isdisjoint(rows(problem, "held_out"))


def test_validation_rows_change_with_the_repeat_and_test_rows_with_the_seed():
    task = marked()
    first, again = task.search_problem(0, 0), task.search_problem(0, 0)
    assert rows(first, "held_out") == rows(again, "held_out")
    assert rows(first, "held_out") != rows(task.search_problem(0, 1), "held_out")
    assert rows(task.evaluation_problem(0), "held_out") != rows(task.evaluation_problem(1), "held_out")


def test_splits_are_stratified():
    problem = marked().search_problem(0, 0)
    assert np.bincount(problem.model.y[problem.train]).tolist() == [45, 15]
    assert np.bincount(problem.model.y[problem.held_out]).tolist() == [15, 5]
    evaluation = marked().evaluation_problem(0)
    assert np.bincount(evaluation.model.y[evaluation.held_out]).tolist() == [15, 5]


@settings(max_examples=60)
@given(
    counts=st.lists(st.integers(5, 40), min_size=2, max_size=12),
    seed=st.integers(0, 2**31),
    repeat=st.integers(0, 9),
)
def test_five_rows_of_a_class_suffice_for_any_split(counts, seed, repeat):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, validation, test = split(len(labels), labels, seed, repeat)
    assert sorted([*train, *validation, *test]) == list(range(len(labels)))
    assert len(np.unique(labels[train])) == len(counts)
    assert np.array_equal(test, split(len(labels), labels, seed).test), "drawn once for all repeats"


# --- scaling and the uninformed predictor


@pytest.mark.parametrize("problem", ["search", "evaluation"])
def test_scaling_is_fitted_on_the_training_rows_only(problem):
    X = np.random.default_rng(0).lognormal(size=(60, 3)) * [1, 10, 100]
    y = X @ [1.0, -1.0, 0.5]
    task = tasks.from_arrays(X, y, kind="regression")
    got = task.search_problem(1, 2) if problem == "search" else task.evaluation_problem(1)
    split_rows = split(60, None, 1, 2) if problem == "search" else split(60, None, 1)
    train = split_rows.train if problem == "search" else split_rows.rest
    held_out = split_rows.validation if problem == "search" else split_rows.test
    scaler, target = StandardScaler().fit(X[train]), StandardScaler().fit(y[train, None])
    np.testing.assert_allclose(got.model.X[got.train], scaler.transform(X[train]), atol=1e-12)
    np.testing.assert_allclose(got.model.X[got.held_out], scaler.transform(X[held_out]), atol=1e-12)
    np.testing.assert_allclose(got.model.y[got.held_out], target.transform(y[held_out, None]), atol=1e-12)


@pytest.fixture
def three_targets():
    """A task of three targets of very different variance, the last of them constant."""
    X = np.random.default_rng(0).normal(size=(60, 4))
    y = np.column_stack([X[:, 0] + 5, 100 * X[:, 1] * X[:, 2], np.full(60, 0.1)])
    return tasks.ArrayTask("three", "regression", lambda: (X, y))


@pytest.mark.parametrize("problem", ["search", "evaluation"])
@pytest.mark.parametrize("shared", [False, True])
def test_several_targets_are_standardized_one_by_one_or_share_one_scale(three_targets, problem, shared):
    three_targets = replace(three_targets, shared_scale=shared)
    got = three_targets.search_problem(1, 2) if problem == "search" else three_targets.evaluation_problem(1)
    _, y = three_targets.data
    split_rows = split(60, None, 1, 2) if problem == "search" else split(60, None, 1)
    train = split_rows.train if problem == "search" else split_rows.rest
    held_out = split_rows.validation if problem == "search" else split_rows.test
    mean, scale = y[train].mean(axis=0), y[train].std(axis=0)
    # The last target is constant.
    scale = np.sqrt(np.square(scale).mean()) if shared else [*scale[:2], 1.0]
    for part, rows in ((got.train, train), (got.held_out, held_out)):
        np.testing.assert_allclose(got.model.y[part], (y[rows] - mean) / scale, atol=1e-12)
    assert np.square(got.model.y[got.train]).mean() == pytest.approx(1 if shared else 2 / 3)
    assert (got.units is None) == (not shared), "several units have none in common"
    assert got.model.n_outputs == 3


def test_uninformed_loss_of_several_targets_is_that_of_their_means(three_targets):
    _, y = three_targets.data
    train, validation, _ = split(60, None, 0, 1)
    mean = DummyRegressor().fit(train[:, None], y[train])
    errors = mean_squared_error(y[validation], mean.predict(validation[:, None]), multioutput="raw_values")
    expected = (errors[:2] / y[train].var(axis=0)[:2]).sum() / 3
    assert three_targets.search_problem(0, 1).uninformed_loss == pytest.approx(expected)


def test_several_targets_that_are_never_the_same_make_other_fingerprints(three_targets):
    X, y = three_targets.data
    other = tasks.ArrayTask("three", "regression", lambda: (X, y[:, [1, 0, 2]]))
    assert other.fingerprint() != three_targets.fingerprint()
    assert replace(three_targets, shared_scale=True).fingerprint() != three_targets.fingerprint()
    assert cloudpickle.loads(cloudpickle.dumps(three_targets)).fingerprint() == three_targets.fingerprint()


def test_uninformed_loss_by_hand():
    # 45 a and 15 b to train on, 15 and 5 to validate on: ¾·ln(4/3) + ¼·ln 4.
    expected = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    assert marked().search_problem().uninformed_loss == pytest.approx(expected)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_uninformed_loss_of_classes_is_that_of_the_prior(name):
    for problem in (tasks.get(name).search_problem(0, 1), tasks.get(name).evaluation_problem(5)):
        X, y, train, held_out = problem.model.X, problem.model.y, problem.train, problem.held_out
        prior = DummyClassifier(strategy="prior").fit(X[train], y[train])
        expected = log_loss(y[held_out], prior.predict_proba(X[held_out]), labels=prior.classes_)
        assert problem.uninformed_loss == pytest.approx(expected)


def test_uninformed_loss_of_a_regression_is_that_of_the_mean_in_standardized_units():
    task = tasks.get("diabetes")
    _, y = task.data
    train, validation, _ = split(len(y), None, 0, 1)
    mean = DummyRegressor().fit(train[:, None], y[train])
    expected = mean_squared_error(y[validation], mean.predict(validation[:, None])) / y[train].var()
    assert task.search_problem(0, 1).uninformed_loss == pytest.approx(expected)


def test_a_class_without_training_rows_leaves_the_uninformed_loss_finite():
    y = np.repeat([0, 1], [10, 1])
    task = tasks.ArrayTask("rare", "classification", lambda: (np.arange(11.0)[:, None], y))
    problem = task.problem(np.arange(10), np.array([10]))
    assert problem.uninformed_loss == pytest.approx(np.log(11))
