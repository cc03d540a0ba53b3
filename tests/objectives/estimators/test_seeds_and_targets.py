"""Ensembles of seeds, and targets of every kind."""

import numpy as np
import pytest
from small_fits import NAMES, X_DIABETES, X_IRIS, classifier, regressor, y_diabetes, y_iris

from cooldown.objectives import Problem, train
from cooldown.objectives.data.scaling import standardized
from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP


def test_equal_random_states_give_equal_bits():
    one, other = (classifier(n_seeds=3).fit(X_IRIS, y_iris) for _ in range(2))
    assert np.array_equal(one._theta, other._theta)
    assert not np.array_equal(one._theta, classifier(n_seeds=3, random_state=4).fit(X_IRIS, y_iris)._theta)
    given_ = classifier(random_state=np.random.RandomState(3)).fit(X_IRIS, y_iris)
    assert np.array_equal(given_._theta, one._theta[:1])
    assert not np.array_equal(given_.fit(X_IRIS, y_iris)._theta, one._theta[:1]), "a RandomState goes on"


@pytest.mark.parametrize("reacting", [{}, {"early_stopping": 3, "epochs": 50}], ids=str)
def test_a_network_is_the_same_in_every_ensemble(reacting):
    whole = classifier(n_seeds=15, **reacting).fit(X_IRIS, y_iris)
    assert len(set(whole.seeds_)) == 15
    for n_seeds in (1, 4):
        part = classifier(n_seeds=n_seeds, **reacting).fit(X_IRIS, y_iris)
        assert np.array_equal(part._theta, whole._theta[:n_seeds])


def test_an_ensemble_averages():
    members = []
    whole = classifier(n_seeds=3).fit(X_IRIS, y_iris)
    for r in range(3):
        one = classifier().fit(X_IRIS, y_iris)
        one._theta = whole._theta[r : r + 1]
        members.append(one.predict_proba(X_IRIS))
    np.testing.assert_allclose(whole.predict_proba(X_IRIS), np.mean(members, axis=0), rtol=1e-12)
    losses = [curve.train_loss for curve in whole.curves_]
    np.testing.assert_allclose(whole.loss_curve_, np.mean(losses, axis=0), rtol=1e-12)
    whole, members = regressor(n_seeds=3).fit(X_DIABETES, y_diabetes), []
    for r in range(3):
        one = regressor().fit(X_DIABETES, y_diabetes)
        one._theta = whole._theta[r : r + 1]
        members.append(one.predict(X_DIABETES))
    np.testing.assert_allclose(whole.predict(X_DIABETES), np.mean(members, axis=0), rtol=1e-12)


def test_many_rows_are_predicted_in_chunks(monkeypatch):
    fitted = classifier(n_seeds=2).fit(X_IRIS, y_iris)
    sizes, predict = [], MLP.predict
    monkeypatch.setattr(MLP, "predict", lambda self, theta, X: sizes.append(len(X)) or predict(self, theta, X))
    many = fitted.predict_proba(np.tile(X_IRIS, (20, 1)))
    assert max(sizes) * 2 <= EVALUATION_ROWS
    assert sum(sizes) == 3000
    np.testing.assert_allclose(many, np.tile(fitted.predict_proba(X_IRIS), (20, 1)), rtol=1e-12)


def test_the_targets_of_a_regression_are_standardized_as_a_tasks_are():
    for y in (y_diabetes, np.c_[y_diabetes, 100 * X_DIABETES[:, 0], np.full(442, 3.0)]):
        fitted = regressor().fit(X_DIABETES, y)
        target, _ = standardized(y.reshape(442, -1), 442)
        model = MLP(X_DIABETES, target, (32,), target.shape[1], "squared_error")
        problem = Problem(model, np.arange(442), np.arange(9), 1.0)
        (curve,), *_ = train(problem, [fitted.to_config()], fitted.seeds_)
        assert np.array_equal(curve.train_loss, fitted.curves_[0].train_loss)


def test_predictions_are_in_the_targets_units():
    one = regressor(epochs=20).fit(X_DIABETES, y_diabetes)
    other = regressor(epochs=20).fit(X_DIABETES, 1000 * y_diabetes - 5e5)
    np.testing.assert_allclose(other.predict(X_DIABETES), 1000 * one.predict(X_DIABETES) - 5e5, rtol=1e-4)
    assert one.score(X_DIABETES, y_diabetes) > 0.4


def test_several_targets_and_the_shape_of_y():
    y = np.c_[y_diabetes, X_DIABETES[:, 0] - X_DIABETES[:, 1]]
    fitted = regressor(epochs=40, learning_rate=0.01).fit(X_DIABETES, y * [1 / 77, 1])
    assert fitted.predict(X_DIABETES).shape == (442, 2)
    assert fitted.score(X_DIABETES, y * [1 / 77, 1]) > 0.6
    assert regressor().fit(X_DIABETES, y[:, :1]).predict(X_DIABETES).shape == (442, 1)
    assert regressor().fit(X_DIABETES, y[:, 0]).predict(X_DIABETES).shape == (442,)


def test_constant_targets_are_learned():
    for shape in ((20,), (20, 2)):
        np.testing.assert_allclose(
            regressor(epochs=60).fit(np.zeros((20, 2)), np.full(shape, 7.0)).predict([[0, 0]]), 7
        )


def test_labels_may_be_texts_or_one_only():
    fitted = classifier(epochs=30).fit(X_IRIS, NAMES)
    assert fitted.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert (fitted.predict(X_IRIS) == NAMES).mean() == fitted.score(X_IRIS, NAMES) > 0.9
    assert classifier().fit(X_IRIS, ["a"] * 150).predict(X_IRIS[:2]).tolist() == ["a", "a"]


def test_a_class_of_one_row_does_not_stop_a_split():
    y = np.where(np.arange(150) == 7, 5, y_iris)
    assert classifier(early_stopping=2).fit(X_IRIS, y).predict_proba(X_IRIS).shape == (150, 4)
