"""Runs that diverge, and parameters that make no run."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from small_fits import WILD, X_DIABETES, X_IRIS, classifier, regressor, y_diabetes, y_iris

from cooldown.objectives import Outcome
from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators import ScheduledMLPClassifier
from cooldown.objectives.training.population import Population


def test_a_seed_that_diverges_is_left_out_with_a_warning(monkeypatch):
    healthy = classifier(n_seeds=3).fit(X_IRIS, y_iris)
    initial = Population.__init__

    def sick(population, *arguments):
        initial(population, *arguments)
        population.theta[[replicate.seed == healthy.seeds_[1] for replicate in population.replicates]] = np.nan

    monkeypatch.setattr(Population, "__init__", sick)
    with pytest.warns(ConvergenceWarning, match="fit: 1 of 3 seeds diverged and are left out"):
        ill = classifier(n_seeds=3).fit(X_IRIS, y_iris)
    assert [curve.outcome for curve in ill.curves_] == [Outcome.COMPLETED, Outcome.DIVERGED, Outcome.COMPLETED]
    assert np.array_equal(ill._theta, healthy._theta[[0, 2]])
    assert np.array_equal(ill.learning_rate_curve_, healthy.learning_rate_curve_)
    monkeypatch.undo()
    healthy.partial_fit(X_IRIS, y_iris)
    assert np.array_equal(ill.partial_fit(X_IRIS, y_iris)._theta, healthy._theta[[0, 2]]), "the others train on"


def test_a_seed_that_diverges_in_a_pass_is_left_out_with_a_warning():
    begun = classifier(n_seeds=3).partial_fit(X_IRIS, y_iris, classes=[0, 1, 2])
    other = pickle.loads(pickle.dumps(begun))
    begun._standing.theta[1] = np.inf
    with pytest.warns(ConvergenceWarning, match="partial_fit: 1 of 3 seeds diverged"):
        begun.partial_fit(X_IRIS, y_iris)
    assert np.array_equal(begun._theta, other.partial_fit(X_IRIS, y_iris)._theta[[0, 2]])
    begun._standing.theta[:] = np.nan
    with pytest.raises(InputError, match="partial_fit: all 2 seeds diverged"):
        begun.partial_fit(X_IRIS, y_iris)


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.parametrize("make", [classifier, regressor])
def test_where_all_diverge_nothing_predicts(make, epochs):
    X, y = (X_IRIS, y_iris) if make is classifier else (X_DIABETES, y_diabetes)
    estimator = make(epochs=epochs, n_seeds=2).fit(X, y)
    with pytest.raises(InputError, match=r"fit: all 2 seeds diverged.*a learning rate below 1e\+30"):
        estimator.set_params(**WILD).fit(X, y)
    with pytest.raises(NotFittedError):
        estimator.predict(X)
    with pytest.raises(InputError, match="partial_fit: all 2 seeds diverged"):
        make(n_seeds=2, **WILD, batch_size=4).partial_fit(
            X, y, **({"classes": [0, 1, 2]} if make is classifier else {})
        )


def test_what_cannot_be_predicted_is_an_error():
    fitted = classifier().fit(X_IRIS, y_iris)
    with pytest.raises(InputError, match="are not finite"):
        fitted.predict(np.full((2, 4), 1e308))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"hidden_layer_sizes": (0,)},
            "ScheduledMLPClassifier(hidden_layer_sizes=(0,)): hidden_layer_sizes must be whole",
        ),
        (
            {"hidden_layer_sizes": "32"},
            "ScheduledMLPClassifier(hidden_layer_sizes='32'): hidden_layer_sizes must be whole",
        ),
        (
            {"hidden_layer_sizes": None},
            "ScheduledMLPClassifier(hidden_layer_sizes=None): hidden_layer_sizes must be whole",
        ),
        ({"activation": "logistic"}, "unknown activation 'logistic'"),
        ({"optimizer": "adma"}, "unknown optimizer 'adma'; did you mean 'adamax'?"),
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'?"),
        ({"learning_rate": -1}, "adam(learning_rate=-1): learning_rate must be"),
        (
            {"learning_rate": 2, "optimizer_params": {"learning_rate": 1}},
            "ScheduledMLPClassifier(optimizer_params={'learning_rate': 1}): optimizer_params must not have",
        ),
        ({"optimizer_params": {"beta": 1}}, "unknown hyperparameter of adam 'beta'"),
        (
            {"optimizer_params": [1]},
            "ScheduledMLPClassifier(optimizer_params=[1]): optimizer_params must be None or a dict",
        ),
        (
            {"schedule_params": {"name": "cosine"}},
            "ScheduledMLPClassifier(schedule_params={'name': 'cosine'}): schedule_",
        ),
        ({"schedule_params": {"warmup_steps": -1}}, "constant(warmup_steps=-1): warmup_steps must be at least 0"),
        ({"batch_size": 0}, "TrainConfig(batch_size=0): batch_size must be a whole number of at least 1, got 0"),
        ({"epochs": 1.5}, "TrainConfig(epochs=1.5): epochs must be a whole number of at least 1, got 1.5"),
        (
            {"early_stopping": "yes"},
            "TrainConfig(early_stopping='yes'): early_stopping must be a finite number, got 'yes'",
        ),
        ({"dropout": 1.0}, "TrainConfig(dropout=1.0): dropout must be less than 1, got 1.0"),
        ({"dropout": 0.5, "hidden_layer_sizes": ()}, "dropout=0.5 needs a hidden layer"),
        (
            {"validation_fraction": 1.0},
            "ScheduledMLPClassifier(validation_fraction=1.0): validation_fraction must be a nu",
        ),
        (
            {"validation_fraction": 3},
            "ScheduledMLPClassifier(validation_fraction=3): validation_fraction must be a number",
        ),
        ({"n_seeds": 0}, "ScheduledMLPClassifier(n_seeds=0): n_seeds must be a whole number of at least 1, got 0"),
        (
            {"n_seeds": True},
            "ScheduledMLPClassifier(n_seeds=True): n_seeds must be a whole number of at least 1, got True",
        ),
        (
            {"dtype": "float16"},
            "ScheduledMLPClassifier(dtype='float16'): dtype must be 'float32' or 'float64', got 'floa",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_parameter_is_named_in_fit(parameters, message):
    estimator = ScheduledMLPClassifier(**parameters)  # nothing is checked here
    with pytest.raises(InputError) as error:
        estimator.fit(X_IRIS, y_iris)
    assert str(error.value).startswith(message)
    if hasattr(estimator, "partial_fit"):
        with pytest.raises(InputError) as error:
            estimator.partial_fit(X_IRIS, y_iris, classes=[0, 1, 2])
        assert str(error.value).startswith(message)


def test_the_rate_may_stand_among_the_optimizers_parameters():
    assert (
        ScheduledMLPClassifier(optimizer_params={"learning_rate": 0.5}).to_config()
        == ScheduledMLPClassifier(learning_rate=0.5).to_config()
    )


def test_numpys_numbers_are_numbers():
    settings = {
        "epochs": np.int64(2),
        "batch_size": np.int32(16),
        "learning_rate": np.float32(0.01),
        "n_seeds": np.int64(2),
        "hidden_layer_sizes": np.array([8, 4]),
        "early_stopping": np.int64(3),
        "validation_fraction": np.float64(0.3),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert classifier(**settings).fit(X_IRIS, y_iris).n_iter_ == 2
    assert classifier(hidden_layer_sizes=8).fit(X_IRIS, y_iris)._predictor.hidden == (8,)
