"""Tasks of a user's own: from arrays or from a model, and what is refused of either."""

import numpy as np
import pandas as pd
import pytest
from small_tasks import Quadratic, marked

from cooldown.objectives import TrainConfig, tasks, train
from cooldown.objectives.data.splits import split
from cooldown.objectives.errors import InputError

# --- a user's arrays


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (["no", "yes"] * 10, "classification"),
        ([True, False] * 10, "classification"),
        ([0, 1] * 10, "classification"),
        ([0.0, 1.0] * 10, "classification"),
        (pd.Series(["no", "yes"] * 10, dtype="category"), "classification"),
        ([0.5, 1.5] * 10, "regression"),
        (np.linspace(0, 1, 20), "regression"),
        (np.arange(40), "regression"),
    ],
)
def test_the_kind_is_inferred(y, kind):
    assert tasks.from_arrays(np.zeros((len(y), 1)), y).kind == kind


def test_labels_may_be_texts():
    task = tasks.from_arrays(np.arange(20.0)[:, None], ["no", "yes"] * 10)
    assert task.data[1].tolist() == [0, 1] * 10


GOOD = np.arange(40.0).reshape(20, 2)
LABELS = [0, 1] * 10


def _with(value, row=3, column=1):
    X = GOOD.astype(object)
    X[row, column] = value
    return X if not isinstance(value, float) else X.astype(float)


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        (GOOD[:, 0], LABELS, {}, r"shape \(n, d\).*got \(20,\)"),
        (GOOD[:, :0], LABELS, {}, r"got \(20, 0\)"),
        ([[1, 2], [3]], LABELS, {}, "table of numbers"),
        (GOOD, LABELS[:-1], {}, r"y=\.\.\.\): must have shape \(20,\).*got \(19,\)"),
        (GOOD, GOOD, {}, r"must have shape \(20,\).*got \(20, 2\)"),
        (_with(float("nan")), LABELS, {}, r"got nan at X\[3, 1\]"),
        (_with(float("inf")), LABELS, {}, r"got inf at X\[3, 1\]"),
        (_with("red"), LABELS, {}, r"X\[3, 1\] must be a number, got 'red'.*from_table"),
        (_with(None), LABELS, {}, r"X\[3, 1\] must be a number, got None"),
        (GOOD, [1.5, float("nan"), *np.arange(18)], {}, "1 missing.*row 2"),
        (GOOD, [1.5, float("inf"), *np.arange(18)], {}, "finite.*got inf in row 2"),
        (GOOD, [None, *["a", "b"] * 9, "a"], {}, "1 missing.*row 1"),
        (GOOD, None, {}, r"must have shape \(20,\).*got \(\)"),
        (None, LABELS, {}, "got .*NoneType"),
        (GOOD, [2.5] * 20, {}, "constant, 2.5"),
        (GOOD, ["a"] * 20, {}, "only one class, 'a'"),
        (GOOD, ["a"] * 16 + ["b"] * 4, {}, "class 'b' has too few rows, 4: at least 5"),
        (GOOD, np.arange(20), {}, "class 0 has too few rows, 1.*regression"),
        (GOOD[:9], np.linspace(0, 1, 9), {}, "at least 10 rows.*got 9"),
        (GOOD[:0], [], {}, "no rows"),
        (GOOD, ["a", "b"] * 10, {"kind": "regression"}, "needs numbers, got 'a'"),
        (GOOD, LABELS, {"kind": "clasification"}, "did you mean 'classification'"),
        (GOOD, LABELS, {"name": ""}, "name"),
        (GOOD, LABELS, {"hidden": (0,)}, "widths"),
        (GOOD, [[1], [1, 2]] * 10, {}, "one label or number for each row"),
        (GOOD, np.array(["2020-01-01"] * 20, "datetime64[D]"), {}, "labels or numbers.*datetime64"),
    ],
)
def test_unusable_arrays_are_refused(X, y, options, message):
    with pytest.raises(InputError, match=message):
        tasks.from_arrays(X, y, **options)


def test_an_activation_must_be_known():
    with pytest.raises(InputError, match="did you mean 'relu'"):
        tasks.ArrayTask("a", "classification", marked().load, activation="rely")


# --- a user's own model


def test_a_users_model_is_trained():
    points = np.random.default_rng(0).normal(3.0, 1.0, (50, 2))
    task = tasks.from_model(Quadratic(points), n_samples=50, name="bowl")
    config = TrainConfig.from_json({"optimizer": {"name": "sgd", "learning_rate": 0.1}, "epochs": 100})
    [[curve]] = train(task, [config], [0])
    train_rows, validation, _ = split(50, None, 0, 0)
    # The best that can be reached is the mean of the training points.
    best = 0.5 * np.square(points[train_rows].mean(axis=0) - points[validation]).sum(axis=1).mean()
    assert curve.final_loss == pytest.approx(best, rel=1e-3)
    assert np.isnan(curve.final_score)
    assert curve.uninformed_loss > 3 * best


def test_a_users_model_gets_disjoint_rows_stratified_by_labels():
    labels = np.repeat(["a", "b"], [40, 10])
    task = tasks.from_model(Quadratic(np.zeros((50, 1))), n_samples=50, name="b", labels=labels, uninformed_loss=7)
    search, evaluation = task.search_problem(2, 1), task.evaluation_problem(2)
    assert search.uninformed_loss == 7.0
    assert sorted([*search.train, *search.held_out]) == evaluation.train.tolist()
    assert sorted([*evaluation.train, *evaluation.held_out]) == list(range(50))
    assert (labels[evaluation.held_out] == "b").sum() == (labels[search.held_out] == "b").sum() == 2


def test_a_models_fingerprint_changes_with_a_cell_far_from_the_first_chunk():
    points = np.zeros((3000, 1))
    reference = tasks.from_model(Quadratic(points), n_samples=3000, name="a").fingerprint()
    points[2900] = 1e-6
    assert tasks.from_model(Quadratic(points), n_samples=3000, name="a").fingerprint() != reference


def _broken(**members):
    return type("Broken", (Quadratic,), members)(np.zeros((20, 2)))


def _fail(*_):
    raise IndexError("no such row")


def _touching(self, theta, indices):
    theta += 1
    return Quadratic.loss_and_gradient(self, theta, indices)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (object(), "size is missing"),
        (_broken(size=2.0), r"size must be a whole number.*got 2\.0"),
        (_broken(size=3), r"init\(rng\) must have shape \(3,\), got \(2,\)|broadcast"),
        (_broken(init=lambda self, rng: np.array([np.nan, 0])), r"init\(rng\) must be finite"),
        (_broken(init=lambda self, rng: np.random.default_rng().normal(size=2)), "rng alone"),
        (_broken(init=_fail), r"init\(rng\) raised IndexError: no such row"),
        (_broken(loss_and_gradient=_fail), r"loss_and_gradient\(theta \(2, 2\).*raised IndexError"),
        (_broken(loss_and_gradient=lambda self, theta, indices: 1.0), "must return .*got float"),
        (
            _broken(loss_and_gradient=lambda self, theta, indices: (1.0, theta)),
            r"losses .* shape \(2,\), got \(\)",
        ),
        (
            _broken(loss_and_gradient=lambda self, theta, indices: (theta[:, 0], theta[0])),
            r"gradients .* shape \(2, 2\), got \(2,\)",
        ),
        (_broken(loss_and_gradient=lambda self, theta, indices: (theta[:, 0] * np.nan, theta)), "finite"),
        (_broken(loss_and_gradient=_touching), "must not modify theta and indices"),
    ],
)
def test_a_model_that_breaks_the_contract_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        tasks.from_model(model, n_samples=20, name="broken")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 9}, "at least 10"),
        ({"n_samples": 20.0}, "whole number"),
        ({"labels": ["a"] * 20}, "only one class"),
        ({"labels": ["a", "b"]}, r"\(20,\).*got \(2,\)"),
        ({"uninformed_loss": float("nan")}, "finite number"),
        ({"kind": "ranking"}, "unknown kind of task"),
        ({"name": " "}, "name"),
    ],
)
def test_a_model_needs_usable_arguments(options, message):
    with pytest.raises(InputError, match=message):
        tasks.from_model(Quadratic(np.zeros((20, 2))), **{"n_samples": 20, "name": "bowl"} | options)
