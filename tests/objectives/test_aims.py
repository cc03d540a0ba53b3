"""What a task is measured by and trained for: measures, weights of classes and rows, the logarithm of the target.

References: scikit-learn on the same rows.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.utils.class_weight import compute_class_weight
from training_runs import config, problem, same

from cooldown.objectives import tasks, train
from cooldown.objectives.data.aim import OWN, Aim, read_class_weight
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.joining import joined
from cooldown.objectives.problem import evaluate
from cooldown.objectives.tasks import ArrayTask
from cooldown.objectives.training.assembly import easiest_first


def unbalanced(classes=2, weights=None, n=120):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(n, 4))
    cuts = [0.9] if classes == 2 else [0.3, 1.1]
    y = np.digitize(X[:, 0] + 0.5 * rng.normal(size=n), cuts)
    return tasks.from_arrays(X, y, kind="classification", hidden=(), sample_weight=weights)


def positive(weights=None, n=120):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(n, 3))
    return tasks.from_arrays(X, np.exp(X @ [1, 0.5, 0] + 0.1 * rng.normal(size=n)), hidden=(), sample_weight=weights)


def row_weights(n=120):
    return np.random.default_rng(5).uniform(0.2, 3, n)


def run(task, **fields):
    return train(task.search_problem(), [config(epochs=4, **fields)], [0, 1])[0]


def test_a_metric_changes_the_score_alone():
    task = unbalanced()
    for plain, other in zip(run(task), run(task.with_aim(Aim(metric="average_precision"))), strict=True):
        assert same(replace(other, held_out_score=plain.held_out_score), plain)
        assert not np.array_equal(other.held_out_score, plain.held_out_score)


@pytest.mark.parametrize("objective", ["roc_auc", "f1_macro", "log_loss", "balanced_accuracy"])
def test_an_objective_changes_what_is_measured_and_not_what_is_trained(objective):
    task = unbalanced()
    aim = Aim(objective=objective)
    for plain, other in zip(run(task), run(task.with_aim(aim)), strict=True):
        assert np.array_equal(plain.train_loss, other.train_loss)
        assert np.array_equal(other.held_out_loss, aim.loss.loss(other.held_out_score))


@pytest.mark.parametrize(
    ("task", "name", "weighted"),
    [
        (unbalanced, "roc_auc", False),
        (unbalanced, "f1", True),
        (unbalanced, "log_loss", True),
        (unbalanced, "accuracy", True),
        (unbalanced, "brier", False),
        (positive, "mae", True),
        (positive, "rmse", False),
        (positive, "r2", True),
        (positive, "medae", False),
    ],
)
def test_measures_and_baseline_are_scikit_learns_on_the_same_rows(task, name, weighted):
    weights = row_weights() if weighted else None
    made = task(weights=weights).with_aim(Aim(objective=name))
    split, whole = made.split(0, 0), made.search_problem()
    X, y = made.data
    scaled = made.preprocessor().fit(X[split.train]).transform(X)
    fit_weights = None if weights is None else weights[split.train]
    of_classes = made.kind == "classification"
    reference = (DummyClassifier(strategy="prior") if of_classes else DummyRegressor()).fit(
        scaled[split.train], y[split.train], sample_weight=fit_weights
    )
    measure, held = made.aim.loss, split.validation
    given = {} if weights is None else {"sample_weight": weights[held]}
    score = get_scorer(measure.scorer)(reference, scaled[held], y[held], **given)
    score = -score if measure.is_error else score
    assert whole.uninformed_loss == pytest.approx(measure.loss(score))
    assert whole.uninformed_score == pytest.approx(score)
    # A linear model of scikit-learn, as parameters of the network.
    linear = (LogisticRegression() if of_classes else LinearRegression()).fit(scaled[split.train], y[split.train])
    mean, scale = (0.0, 1.0) if of_classes else (y[split.train].mean(), y[split.train].std())
    coefficients, offsets = linear.coef_.ravel() / scale, np.atleast_1d((linear.intercept_ - mean) / scale)
    if of_classes:
        coefficients, offsets = np.c_[-coefficients / 2, coefficients / 2].ravel(), np.r_[-offsets / 2, offsets / 2]
    losses, scores = evaluate(whole.model, np.r_[coefficients, offsets][None], whole.held_out)
    score = get_scorer(measure.scorer)(linear, scaled[held], y[held], **given)
    score = -score if measure.is_error else score
    assert scores[0] == pytest.approx(score)
    assert losses[0] == pytest.approx(measure.loss(score))


def test_several_targets_are_measured_in_their_own_units():
    rng = np.random.default_rng(0)
    Y = np.c_[rng.normal(5, 1, 50), rng.normal(-300, 100, 50)]
    task = ArrayTask("two", "regression", lambda: (rng.normal(size=(50, 2)), Y), hidden=()).with_aim(Aim(metric="mae"))
    split, whole = task.split(0, 0), task.search_problem()
    expected = np.abs(Y[split.validation] - Y[split.train].mean(axis=0)).mean()
    assert whole.uninformed_score == pytest.approx(expected)
    assert evaluate(whole.model, np.zeros((1, whole.model.size)), whole.held_out)[1][0] == pytest.approx(expected)


@pytest.mark.parametrize("aim", [OWN, Aim(metric="mae"), Aim(objective="rmse", target_transform="log")], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_problems_on_one_model_are_measured_as_each_alone(aim, weighted):
    task = positive(row_weights() if weighted else None).with_aim(aim)
    alone = [task.problem(*task.split(0, 0, seed)[:2]) for seed in (3, 4)]
    for one, other in zip(alone, joined(alone), strict=True):
        theta = np.random.default_rng(0).normal(size=(2, one.model.size))
        for expected, found in zip(
            evaluate(one.model, theta, one.held_out), evaluate(other.model, theta, other.held_out), strict=True
        ):
            assert np.array_equal(expected, found)
        runs = [train(each, [config(epochs=2)], [0])[0][0] for each in (one, other)]
        assert same(*runs)


def test_a_diverged_network_has_no_measure():
    whole = unbalanced().with_aim(Aim(objective="roc_auc")).search_problem()
    theta = np.full((2, whole.model.size), np.nan)
    theta[1] = 1.0
    losses, _ = evaluate(whole.model, theta, whole.held_out)
    assert np.isnan(losses[0])
    assert np.isfinite(losses[1])


# Weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_weight_of_two_counts_as_two_rows(kind, dtype):
    model = problem(kind).model
    weights = np.ones(len(model.X))
    weights[3] = 2
    theta = np.stack([model.init(np.random.default_rng(seed)) for seed in range(3)]).astype(dtype)
    rows = np.tile([0, 3, 5, 8], (3, 1))
    losses, gradients = replace(model, weights=weights).loss_and_gradient(theta, rows)
    again, twice = replace(model).loss_and_gradient(theta, np.tile([0, 3, 3, 5, 8], (3, 1)))
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(losses, again * 5 / 4, rtol=tolerance)
    np.testing.assert_allclose(gradients, twice * 5 / 4, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_weighted_replicate_does_not_know_its_neighbours(kind):
    whole = problem(kind)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(whole.model.X))
    weighed = replace(whole, model=replace(whole.model, weights=weights))
    together = train(weighed, [config(), config("adam")], [0, 1, 2])
    for row, settings in zip(together, (config(), config("adam")), strict=True):
        for seed, curve in enumerate(row):
            assert same(train(weighed, [settings], [seed])[0][0], curve)
    assert not same(train(whole, [config()], [0])[0][0], together[0][0])


@pytest.mark.parametrize("class_weight", [None, "balanced", {"0": 1.0, "1": 5.0}], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learns_weighted_solution_is_a_minimum(class_weight, weighted):
    weights = row_weights() if weighted else None
    task = unbalanced(weights=weights).with_aim(Aim(class_weight=read_class_weight(class_weight)))
    split, whole = task.split(0, 0), task.search_problem()
    X, y = task.data
    scaled = task.preprocessor().fit(X[split.train]).transform(X)[split.train]
    by_class = {int(k): v for k, v in class_weight.items()} if isinstance(class_weight, dict) else class_weight
    reference = LogisticRegression(C=1e8, class_weight=by_class, tol=1e-10, max_iter=1000)
    reference.fit(scaled, y[split.train], None if weights is None else weights[split.train])
    theta = np.r_[
        np.c_[-reference.coef_[0] / 2, reference.coef_[0] / 2].ravel(),
        -reference.intercept_ / 2,
        reference.intercept_ / 2,
    ]
    _, gradient = whole.model.loss_and_gradient(theta[None], whole.train[None])
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


def test_weighted_least_squares_are_a_minimum():
    weights = row_weights()
    task = positive(weights)
    split, whole = task.split(0, 0), task.search_problem()
    X, y = task.data
    scaled = task.preprocessor().fit(X[split.train]).transform(X)[split.train]
    target = (y[split.train] - y[split.train].mean()) / y[split.train].std()
    reference = LinearRegression().fit(scaled, target, weights[split.train])
    theta = np.r_[reference.coef_, reference.intercept_][None]
    _, gradient = whole.model.loss_and_gradient(theta, whole.train[None])
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_weights_have_mean_one_over_the_training_rows():
    task = unbalanced(3).with_aim(Aim(class_weight="balanced"))
    split, whole = task.split(0, 0), task.search_problem()
    classes = task.data[1][split.train]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=classes)[classes]
    np.testing.assert_allclose(whole.model.weights[whole.train], expected / expected.mean())
    assert whole.model.weights[whole.train].mean() == pytest.approx(1)


def test_class_weights_leave_the_measures_alone_and_row_weights_do_not():
    task = unbalanced()
    theta = np.random.default_rng(0).normal(size=(1, task.search_problem().model.size))
    plain, of_classes, of_rows = (
        evaluate(each.model, theta, each.held_out)
        for each in (
            task.search_problem(),
            task.with_aim(Aim(class_weight="balanced")).search_problem(),
            unbalanced(weights=row_weights()).search_problem(),
        )
    )
    assert np.array_equal(plain, of_classes)
    assert not np.isclose(plain, of_rows).any()


def test_a_curriculum_does_not_take_heavy_rows_for_hard_ones():
    whole = problem()
    easy, _ = easiest_first(whole)
    weights = np.ones(len(whole.model.X))
    weights[easy[:3]] = 50
    order, _ = easiest_first(replace(whole, model=replace(whole.model, weights=weights)))
    assert {*easy[:3]} <= {*order[: len(order) // 2]}, "they are learned all the better"


# The logarithm of the target


def test_the_logarithm_is_what_is_trained_on():
    task = positive()
    logs = tasks.from_arrays(task.data[0], np.log(task.data[1]), hidden=())
    for one, other in zip(run(task.with_aim(Aim(target_transform="log"))), run(logs), strict=True):
        assert same(one, other)
    assert task.with_aim(Aim(target_transform="log")).score_name == "R² of the log"


def test_measures_are_in_the_targets_own_units():
    task = positive().with_aim(Aim(metric="mae", target_transform="log"))
    split, whole = task.split(0, 0), task.search_problem()
    y = task.data[1]
    expected = np.abs(y[split.validation] - np.exp(np.log(y[split.train]).mean())).mean()
    assert whole.uninformed_score == pytest.approx(expected)
    _, scores = evaluate(whole.model, np.zeros((1, whole.model.size)), whole.held_out)
    assert scores[0] == pytest.approx(expected)


def test_predictions_beyond_all_numbers_are_still_measured():
    whole = positive().with_aim(Aim(objective="poisson_deviance", target_transform="log")).search_problem()
    theta = np.array([[1e4] * whole.model.size, [-1e4] * whole.model.size])
    assert np.isfinite(evaluate(whole.model, theta, whole.held_out)[0]).all()


# What fits, and where it is kept


@pytest.mark.parametrize(
    ("task", "aim", "said"),
    [
        (unbalanced(), {"metric": "mae"}, "metric 'mae' is for a regression"),
        (unbalanced(3), {"objective": "roc_auc"}, "objective 'roc_auc' does not fit 3 classes"),
        (unbalanced(), {"target_transform": "log"}, "is a classification"),
        (unbalanced(), {"class_weight": (("2", 1.0),)}, "unknown label of class_weight '2'"),
        (positive(), {"class_weight": "balanced"}, "is a regression, which has no classes to weight"),
        (positive(row_weights()), {"metric": "max_error"}, "metric 'max_error' cannot weigh rows"),
        (
            tasks.get("quadratic"),
            {"metric": "mae"},
            "has a model of its own, which measures and weighs its rows itself",
        ),
    ],
)
def test_an_aim_that_does_not_fit_is_refused(task, aim, said):
    with pytest.raises(InputError) as raised:
        task.with_aim(Aim(**aim))
    assert said in str(raised.value)


def test_a_target_with_no_logarithm_is_refused():
    y = np.arange(20.0) + 1
    y[6] = 0
    task = tasks.from_arrays(np.ones((20, 1)), y, kind="regression")
    with pytest.raises(InputError, match=r"must be above 0, got 0 in row 7 \(the first row is 1\)"):
        task.with_aim(Aim(target_transform="log"))


def test_an_objective_that_a_split_leaves_undefined_is_refused():
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    task = tasks.from_arrays(X, y, hidden=()).with_aim(Aim(objective="roc_auc_ovr"))
    with pytest.raises(InputError, match="objective 'roc_auc_ovr' is undefined on the 20 held-out rows of a split"):
        task.problem(np.arange(40), np.arange(40, 60))


def test_labels_name_the_classes_of_weights():
    X = np.random.default_rng(0).normal(size=(30, 2))
    task = tasks.from_arrays(X, ["yes", "no", "no"] * 10, hidden=())
    weights = task.with_aim(Aim(class_weight=read_class_weight({"yes": 4}))).search_problem().model.weights
    assert len(set(weights)) == 2
    assert max(weights) == pytest.approx(4 * min(weights))
    numbers = tasks.from_arrays(X, [1.0, 5.0, 5.0] * 10, kind="classification")
    assert numbers.labels == ("1", "5")


@pytest.mark.parametrize("value", ["balance", 3, {}, {"a": 0}, {"a": np.inf}, {"a": "b"}, {"a": True}])
def test_class_weights_that_are_none(value):
    with pytest.raises(InputError, match="should be"):
        read_class_weight(value)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.ones(3), "must have shape (30,)"),
        (np.r_[np.ones(29), 0], "must be finite and above 0, got 0 in row 30"),
        (np.r_[np.ones(29), np.nan], "missing"),
        (np.r_[-1, np.ones(29)], "above 0, got -1 in row 1"),
        (["a"] * 30, "must be numbers, got 'a'"),
    ],
)
def test_weights_of_rows_that_cannot_be_used(weights, said):
    with pytest.raises(InputError) as raised:
        tasks.from_arrays(np.ones((30, 1)), [0, 1] * 15, sample_weight=weights)
    assert said in str(raised.value)


def test_a_column_of_weights_is_no_feature(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=30), "w": rng.uniform(1, 2, 30), "y": ["yes", "no"] * 15})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    task = tasks.from_table(tmp_path / "rows.csv", target="y", sample_weight="w")
    assert task.data[0].shape == (30, 1)
    assert task.labels == ("no", "yes")
    np.testing.assert_allclose(task.sample_weight, frame["w"])
    for column, message in (("z", "unknown column 'z'"), ("y", "column 'y' is in both target and sample_weight")):
        with pytest.raises(InputError, match=message):
            tasks.from_table(tmp_path / "rows.csv", target="y", sample_weight=column)
    with pytest.raises(InputError, match="sample_weight 'w' is for a CSV or Parquet file"):
        tasks.resolve("iris", sample_weight="w")


def test_a_fingerprint_tells_aims_apart():
    aims = [OWN, Aim(metric="f1"), Aim(objective="f1"), Aim(class_weight="balanced"), Aim(metric="recall")]
    prints = [unbalanced().with_aim(aim).fingerprint() for aim in aims]
    prints.append(unbalanced(weights=row_weights()).fingerprint())
    assert len(set(prints)) == len(prints)
    assert prints[0] == unbalanced().fingerprint()
