"""Measures by name: the values of scikit-learn's scorers, and clear words about names that do not fit."""

import numpy as np
import pytest
from sklearn import metrics

from cooldown.objectives.errors import InputError
from cooldown.objectives.measures import Measure, checked, measured, named, plain_name, scored
from cooldown.objectives.quick_measures import QUICK

NUMBERS = ("mae", "medae", "mse", "rmse")


def drawn(measure, classes, seed, targets=1, n=41):
    """Targets and predictions, with ties among the probabilities."""
    rng = np.random.default_rng(seed)
    if classes is None:
        shape = n if targets == 1 else (n, targets)
        return rng.uniform(1, 3, shape), rng.uniform(1, 3, shape)
    probabilities = np.round(rng.dirichlet(np.ones(classes), n), 1) + 0.01
    return rng.integers(0, classes, n), probabilities / probabilities.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("seed", range(5))
def test_the_quick_way_gives_what_scikit_learn_gives(name, seed):
    measure = named(name)
    numbers = name in NUMBERS
    for classes in (None,) if numbers else (2,) if name in ("f1", "roc_auc") else (2, 3, 7):
        for targets in (1, 3) if numbers else (1,):
            y, predictions = drawn(measure, classes, seed, targets)
            assert measured(measure, y, predictions) == pytest.approx(scored(measure, y, predictions), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in QUICK if name not in NUMBERS and "roc_auc" not in name])
def test_the_quick_way_knows_classes_that_no_row_has_or_that_are_never_predicted(name):
    always = np.tile([0.8, 0.1, 0.1][: 2 if name in ("f1", "average_precision") else 3], (9, 1))
    for y in (np.array([0, 1] * 4 + [1]), np.zeros(9, int), np.ones(9, int)):
        measure = named(name)
        assert measured(measure, y, always) == pytest.approx(scored(measure, y, always), rel=1e-12)


def test_values_are_those_of_the_functions_of_scikit_learn():
    y, p = drawn(None, 2, 1)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    assert measured(named("roc_auc"), y, p) == pytest.approx(metrics.roc_auc_score(y, p[:, 1]), rel=1e-12)
    average = metrics.average_precision_score(y, p[:, 1])
    assert measured(named("average_precision"), y, p) == pytest.approx(average, rel=1e-12)
    assert measured(named("log_loss"), y, p) == pytest.approx(metrics.log_loss(y, p))
    assert measured(named("recall"), y, p, weights) == metrics.recall_score(y, p.argmax(1), sample_weight=weights)
    y, p = drawn(None, 4, 2)
    assert measured(named("roc_auc_ovr"), y, p) == pytest.approx(metrics.roc_auc_score(y, p, multi_class="ovr"))
    assert measured(named("average_precision"), y, p) == metrics.average_precision_score(y, p)
    assert measured(named("top_k_accuracy"), y, p) == metrics.top_k_accuracy_score(y, p)
    y, p = drawn(None, None, 3)
    assert measured(named("medae"), y, p) == pytest.approx(metrics.median_absolute_error(y, p))
    assert measured(named("mae"), y, p, weights) == metrics.mean_absolute_error(y, p, sample_weight=weights)
    assert measured(named("poisson_deviance"), y, p) == metrics.mean_poisson_deviance(y, p)


def test_what_is_undefined_is_nan():
    assert np.isnan(measured(named("roc_auc"), np.zeros(5, int), np.full((5, 2), 0.5)))
    assert np.isnan(measured(named("roc_auc_ovr"), np.array([0, 1, 1]), np.full((3, 3), 1 / 3)))
    assert np.isnan(measured(named("mae"), np.ones(3), np.array([1, np.nan, 1])))
    assert np.isnan(measured(named("f1_macro"), np.array([0, 1]), np.full((2, 2), np.inf)))


@pytest.mark.parametrize("scorer", metrics.get_scorer_names())
def test_every_scorer_is_known_by_one_name(scorer):
    name = plain_name(scorer)
    assert named(name) == Measure(name, scorer)
    assert plain_name(name) == name
    if named(name).is_error:
        assert named(name).loss(0.25) == 0.25
        assert named(name).loss_name == name
    else:
        assert named(name).loss(0.25) == 0.75
        assert named(name).loss_name == f"1 − {name}"


@pytest.mark.parametrize("name", ["mae", "neg_mean_absolute_error", "mean_absolute_error"])
def test_all_names_mean_the_same(name):
    assert checked("metric", name, classes=None) == Measure("mae", "neg_mean_absolute_error")


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("roc_acu", {"classes": 2}, "unknown metric 'roc_acu'; did you mean 'roc_auc'?"),
        ("roc_auc", {"classes": 3}, "does not fit 3 classes (choose from: roc_auc_ovo, roc_auc_ovo_weighted, roc_auc_"),
        ("f1", {"classes": 10}, "does not fit 10 classes (choose from: f1_macro, f1_micro, f1_weighted)"),
        ("f1_samples", {"classes": 2}, "is for rows with several labels"),
        ("mae", {"classes": 2}, "is for a regression, and the task has classes (choose from: accuracy, "),
        ("accuracy", {"classes": None}, "is for classes, and the task is a regression (choose from: d2_absolute_error"),
        ("rand_score", {"classes": 2}, "compares clusterings"),
        ("v_measure_score", {"classes": 3}, "compares clusterings"),
        ("max_error", {"classes": None, "targets": 3}, "cannot measure 3 targets"),
        ("max_error", {"classes": None, "weighted": True}, "cannot weigh rows"),
        ("rmsle", {"classes": None}, "needs positive predictions, which --target-transform log makes sure of"),
        ("top_k_accuracy", {"classes": 2}, "counts the two likeliest classes"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(name, task, said):
    with pytest.raises(InputError) as raised:
        checked("metric", name, **task)
    assert said in str(raised.value)


def test_nothing_is_decided_by_what_is_often_undefined():
    assert checked("metric", "positive_likelihood_ratio", classes=2)
    with pytest.raises(InputError, match="objective 'positive_likelihood_ratio' is undefined for many predictors"):
        checked("objective", "positive_likelihood_ratio", classes=2)


def test_positive_predictions_may_be_measured_by_their_logarithm():
    assert checked("objective", "rmsle", classes=None, positive=True).is_error
