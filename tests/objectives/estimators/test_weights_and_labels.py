"""Weights of rows and classes, several labels per row, sparse rows, and logarithms of probabilities."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputClassifier
from sklearn.utils.class_weight import compute_sample_weight
from small_fits import NAMES, X_DIABETES, X_IRIS, classifier, regressor, y_diabetes, y_iris

from cooldown.objectives.errors import InputError

X_SETS, Y_SETS = make_multilabel_classification(120, n_features=6, n_classes=3, random_state=0)
X_SETS = (X_SETS - X_SETS.mean(axis=0)) / X_SETS.std(axis=0)


# --- weights of rows


@settings(max_examples=15)
@given(st.lists(st.integers(0, 4), min_size=12, max_size=12).filter(lambda counts: 1 < sum(counts) <= 32), st.data())
@pytest.mark.parametrize("reacting", [{}, {"early_stopping": 2, "epochs": 8}, {"batch_norm": True}], ids=str)
def test_in_one_batch_a_whole_weight_counts_rows_to_the_last_bit(reacting, counts, data):
    X, y = X_DIABETES[:12], y_diabetes[:12]
    order = np.array(data.draw(st.permutations(range(12))))
    if sum(counts) < 3 and reacting:
        return
    repeated = regressor(**reacting).fit(X.repeat(counts, axis=0), y.repeat(counts))
    weighted = regressor(**reacting).fit(X[order], y[order], sample_weight=np.array(counts)[order])
    assert np.array_equal(weighted._theta, repeated._theta)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_only_the_ratios_of_weights_matter(make):
    X, y = (X_IRIS, NAMES) if make is classifier else (X_DIABETES, y_diabetes)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(X))
    one, other = make().fit(X, y, weights), make().fit(X, y, 8 * weights)
    assert np.array_equal(other._theta, one._theta)
    plain = make().fit(X, y)
    assert not np.array_equal(one._theta, plain._theta)
    assert np.array_equal(make().fit(X, y, np.full(len(X), 3.0))._theta, plain._theta)


def test_rows_of_weight_zero_are_left_out():
    weights = (y_iris != 2).astype(float)
    fitted = classifier().fit(X_IRIS, NAMES, weights)
    assert fitted.classes_.tolist() == ["setosa", "versicolor"]
    assert np.array_equal(fitted._theta, classifier().fit(X_IRIS[:100], NAMES[:100])._theta)
    with pytest.raises(ValueError, match="weight"):
        classifier().fit(X_IRIS, NAMES, np.zeros(150))
    with pytest.raises(ValueError, match="Negative values"):
        classifier().fit(X_IRIS, NAMES, -weights)


def test_weighted_rows_pull_a_linear_fit_like_scikit_learns():
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(1)
    X = rng.normal(size=(400, 1))
    y, weights = np.where(np.arange(400) < 200, 2 * X[:, 0], -X[:, 0]), np.repeat([9.0, 1.0], 200)
    ours = regressor(hidden_layer_sizes=(), epochs=60, optimizer="sgd", learning_rate=0.05, schedule="linear")
    expected = LinearRegression().fit(X, y, weights).coef_[0]
    slope = float(np.diff(ours.fit(X, y, weights).predict([[0.0], [1.0]]))[0])
    assert slope == pytest.approx(expected, abs=0.05)


def test_passes_take_weights_too():
    weights = np.random.default_rng(0).uniform(0.5, 2, 150)
    whole, passes = classifier().fit(X_IRIS, y_iris, weights), classifier()
    for _ in range(4):
        passes.partial_fit(X_IRIS, y_iris, classes=[0, 1, 2], sample_weight=weights)
    assert np.array_equal(passes._theta, whole._theta)


def test_the_losses_of_watched_rows_are_weighted():
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.1, 3, 50)
    fitted = classifier(dtype="float64").fit(
        X_IRIS[:100], y_iris[:100], X_val=X_IRIS[100:], y_val=y_iris[50:100], sample_weight_val=weights
    )
    chosen = fitted.predict_proba(X_IRIS[100:])[:, 1]
    assert fitted.validation_loss_curve_[-1] == pytest.approx(np.average(-np.log(chosen), weights=weights))


# --- weights of classes


def test_class_weights_are_weights_of_rows():
    rare = np.r_[0:50, 50:60, 100:150]
    X, y = X_IRIS[rare], NAMES[rare]
    for given_ in ("balanced", {"setosa": 1, "versicolor": 5, "virginica": 0.5}):
        weighted = classifier(class_weight=given_).fit(X, y)
        assert np.array_equal(weighted._theta, classifier().fit(X, y, compute_sample_weight(given_, y))._theta)
    weights = np.linspace(1, 2, len(y))
    both = classifier(class_weight={"versicolor": 5}).fit(X, y, weights)
    product = weights * np.where(y == "versicolor", 5, 1)
    assert np.array_equal(both._theta, classifier().fit(X, y, product)._theta)


def test_class_weights_name_their_mistakes():
    with pytest.raises(InputError, match="class_weight has 'rosa', not among"):
        classifier(class_weight={"rosa": 2}).fit(X_IRIS, NAMES)
    with pytest.raises(InputError, match="weights must be finite and at least 0, got -1 of 'setosa'"):
        classifier(class_weight={"setosa": -1}).fit(X_IRIS, NAMES)
    with pytest.raises(InputError, match="class_weight='balanced' needs all rows"):
        classifier(class_weight="balanced").partial_fit(X_IRIS, y_iris, classes=[0, 1, 2])
    with pytest.raises(InputError, match="is for one class per row"):
        classifier(class_weight="balanced").fit(X_SETS, Y_SETS)
    assert "class_weight" not in regressor().get_params()


# --- several labels per row


def test_sets_of_labels_are_learned_as_by_a_network_for_each():
    ours = classifier(epochs=60).fit(X_SETS, Y_SETS)
    each = MultiOutputClassifier(classifier(epochs=60)).fit(X_SETS, Y_SETS)
    assert ours.classes_.tolist() == [0, 1, 2]
    assert ours.predict_proba(X_SETS).shape == ours.predict(X_SETS).shape == (120, 3)
    assert ours.score(X_SETS, Y_SETS) == accuracy_score(Y_SETS, ours.predict(X_SETS))
    assert ours.score(X_SETS, Y_SETS) > each.score(X_SETS, Y_SETS) - 0.15 > 0.5
    assert cross_val_score(classifier(epochs=40), X_SETS, Y_SETS, cv=3).mean() > 0.4


def test_sets_may_be_sparse_weighted_watched_and_trained_pass_by_pass():
    weights = np.random.default_rng(0).uniform(0.5, 2, 120)
    whole = classifier().fit(X_SETS, Y_SETS, weights)
    assert np.array_equal(classifier().fit(X_SETS, csr_matrix(Y_SETS), weights)._theta, whole._theta)
    passes = classifier()
    for _ in range(4):
        passes.partial_fit(X_SETS, Y_SETS, classes=[0, 1, 2], sample_weight=weights)
    assert np.array_equal(passes._theta, whole._theta)
    watched = classifier(early_stopping=True, epochs=200, learning_rate=0.1).fit(X_SETS, Y_SETS)
    assert watched.n_iter_ == len(watched.validation_loss_curve_) < 200


def test_sets_name_their_mistakes():
    with pytest.raises(InputError, match="y must be one class per row, or a matrix of 0 and 1"):
        classifier().fit(X_SETS, Y_SETS.cumsum(axis=1))
    with pytest.raises(InputError, match="y must hold 0 and 1 only"):
        classifier().fit(X_SETS, Y_SETS + 1)
    begun = classifier().partial_fit(X_SETS, Y_SETS, classes=[0, 1, 2])
    with pytest.raises(InputError, match=r"y must have shape \('n', 3\), as at first, got \(120, 2\)"):
        begun.partial_fit(X_SETS, Y_SETS[:, :2])
    with pytest.raises(InputError, match="the labels of a y of 3 columns are 0 to 2"):
        classifier().partial_fit(X_SETS, Y_SETS, classes=[0, 1])


# --- classes that a chunk lacks


def test_passes_keep_the_classes_they_were_told():
    """The case of scikit-learn's issue 6994: the first chunk has one class of three."""
    begun = classifier().partial_fit(X_IRIS[:10], NAMES[:10], classes=["virginica", "setosa", "versicolor"])
    assert begun.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert begun.predict_proba(X_IRIS[:1]).shape == (1, 3)
    begun.partial_fit(X_IRIS, NAMES).partial_fit(X_IRIS[:5], NAMES[:5])
    assert set(begun.predict(X_IRIS)) <= set(NAMES)
    with pytest.raises(InputError, match="y has"):
        classifier().partial_fit(X_IRIS, NAMES, classes=["setosa", "versicolor"])
    again = begun.fit(X_IRIS[:100], NAMES[:100])
    assert again.classes_.tolist() == ["setosa", "versicolor"], "a fit has the classes of its rows"


# --- sparse rows, logarithms


@pytest.mark.parametrize("sparse", [csr_matrix, csr_array])
def test_sparse_rows_are_the_dense_ones(sparse):
    X = np.where(np.abs(X_IRIS) > 0.5, X_IRIS, 0.0)
    dense, other = classifier().fit(X, NAMES), classifier().fit(sparse(X), NAMES)
    # Products are summed in another order.
    assert np.allclose(other._theta, dense._theta, rtol=1e-3, atol=1e-5)
    assert np.allclose(other.predict_proba(sparse(X)), dense.predict_proba(X), atol=1e-4)
    assert np.allclose(dense.predict_proba(sparse(X)), dense.predict_proba(X), rtol=1e-12)
    search = GridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2).fit(sparse(X), NAMES)
    assert search.best_params_["epochs"] in (1, 2)


@pytest.mark.parametrize("y", [NAMES, np.eye(3, dtype=int)[y_iris]], ids=["classes", "sets"])
def test_logarithms_of_probabilities(y):
    fitted = classifier(n_seeds=3).fit(X_IRIS, y)
    np.testing.assert_allclose(fitted.predict_log_proba(X_IRIS), np.log(fitted.predict_proba(X_IRIS)), rtol=1e-9)
    far = fitted.predict_log_proba(1e5 * X_IRIS)
    assert np.isfinite(far).all()
    assert far.min() < -1000, "whose probability is 0 as a float"


def test_the_decision_function_says_what_is_predicted():
    three = classifier().fit(X_IRIS, y_iris)
    np.testing.assert_allclose(np.exp(three.decision_function(X_IRIS)), three.predict_proba(X_IRIS))
    two = classifier().fit(X_IRIS, y_iris > 0)
    assert two.decision_function(X_IRIS).shape == (len(X_IRIS),)
    np.testing.assert_array_equal(two.decision_function(X_IRIS) > 0, two.predict(X_IRIS))
    labels = classifier().fit(X_IRIS, np.column_stack([y_iris == 0, y_iris == 2]).astype(int))
    np.testing.assert_array_equal(labels.decision_function(X_IRIS) > 0, labels.predict(X_IRIS) == 1)
