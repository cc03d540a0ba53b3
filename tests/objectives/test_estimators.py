"""The estimators: scikit-learn's own checks in full, its tools around them, and the engine's bits inside them."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from objectives import Outcome, Problem, TrainConfig, engine, optimizers, schedules, train
from objectives.engine import fit
from objectives.errors import InputError
from objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from objectives.models.mlp import EVALUATION_ROWS, MLP
from objectives.strategies import STRATEGIES
from objectives.tasks._arrays import standardized

X_IRIS, y_iris = load_iris(return_X_y=True)
X_IRIS = StandardScaler().fit_transform(X_IRIS)
X_DIABETES, y_diabetes = load_diabetes(return_X_y=True)
X_DIABETES = StandardScaler().fit_transform(X_DIABETES)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y_iris]
WILD = {"optimizer": "sgd", "learning_rate": 1e30}


def classifier(**parameters):
    return ScheduledMLPClassifier(**{"learning_rate": 0.01, "epochs": 4, "random_state": 3, **parameters})


def regressor(**parameters):
    return ScheduledMLPRegressor(**{"learning_rate": 0.01, "epochs": 4, "random_state": 3, **parameters})


def iris_problem(train_rows=None, held_out=None, hidden=(32,)):
    train_rows = np.arange(150) if train_rows is None else train_rows
    held_out = np.arange(0) if held_out is None else held_out
    return Problem(MLP(X_IRIS, y_iris, hidden, 3, "cross_entropy"), train_rows, held_out, 1.1)


# scikit-learn's contract


@pytest.fixture
def scipy_array_api(monkeypatch):
    """One check gives NumPy arrays with array API dispatch enabled; without this variable it would skip itself."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")


@parametrize_with_checks(
    [
        ScheduledMLPClassifier(),
        ScheduledMLPRegressor(),
        ScheduledMLPClassifier(learning_rate=0.01, n_seeds=2, early_stopping=3),
        ScheduledMLPRegressor(learning_rate=0.01, n_seeds=2, schedule="plateau"),
        ScheduledMLPClassifier((), learning_rate=0.05, dtype="float64"),
        ScheduledMLPRegressor((16, 16), activation="tanh", schedule="one_cycle", batch_norm=True, learning_rate=0.01),
    ]
)
@pytest.mark.usefixtures("scipy_array_api")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", [ScheduledMLPClassifier(), ScheduledMLPRegressor()])
def test_the_array_api_where_scipy_has_it_too(estimator):
    """The check of dispatch in a process of its own, where scipy was imported with the variable set."""
    name = type(estimator).__name__
    code = f"""
from sklearn.utils.estimator_checks import check_array_api_input
from objectives.estimators import {name}
check_array_api_input("{name}", {name}(), array_namespace="numpy", expect_only_array_outputs=False)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", code],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_import_objectives_brings_neither_scikit_learn_nor_the_compiler():
    code = "import objectives, sys; print(sorted({'sklearn', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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


# Configs

CONFIGS = st.builds(
    lambda optimizer, rate, schedule, batch_size, epochs, strategies: TrainConfig.from_json(
        {
            "optimizer": {"name": optimizer, "learning_rate": rate},
            "schedule": {"name": schedule, "warmup_steps": 3},
            "batch_size": batch_size,
            "epochs": epochs,
            **strategies,
        }
    ),
    st.sampled_from(optimizers.names()),
    st.floats(1e-6, 10),
    st.sampled_from(schedules.names()),
    st.integers(1, 500),
    st.integers(1, 500),
    st.fixed_dictionaries(
        {},
        optional={
            "shuffle": st.booleans(),
            "curriculum": st.sampled_from(["none", "mixed", "easy_to_hard"]),
            "early_stopping": st.none() | st.integers(1, 9),
            "dropout": st.floats(0, 0.9),
            "clip_norm": st.none() | st.floats(0.1, 10),
            "l2": st.floats(0, 1),
        },
    ),
)


@given(CONFIGS, st.sampled_from([ScheduledMLPClassifier, ScheduledMLPRegressor]))
def test_a_config_comes_back_as_it_was(config, kind):
    estimator = kind.from_config(config, n_seeds=3, random_state=1)
    assert estimator.to_config() == config
    assert clone(estimator).to_config() == config
    assert estimator.n_seeds == 3
    assert estimator.random_state == 1


def test_the_defaults_are_those_of_a_config():
    assert ScheduledMLPClassifier().to_config() == ScheduledMLPRegressor().to_config() == TrainConfig()
    assert set(TrainConfig.__dataclass_fields__) <= set(ScheduledMLPClassifier().get_params())
    assert set(STRATEGIES) <= set(ScheduledMLPClassifier().get_params())


def test_from_config_takes_a_config_and_what_a_config_does_not_have():
    with pytest.raises(InputError, match=r"ScheduledMLPClassifier.from_config\(config=...\): should be a TrainConfig"):
        ScheduledMLPClassifier.from_config({"epochs": 3})
    with pytest.raises(TypeError, match="the config has epochs already: set_params changes it"):
        ScheduledMLPClassifier.from_config(TrainConfig(), epochs=3)


@pytest.mark.parametrize("optimizer", optimizers.names())
def test_every_optimizer_fits(optimizer):
    fitted = ScheduledMLPClassifier(optimizer=optimizer, epochs=2, random_state=0).fit(X_IRIS, y_iris)
    assert fitted.loss_curve_.shape == (2,)
    assert fitted.predict_proba(X_IRIS).shape == (150, 3)


@pytest.mark.filterwarnings("ignore:.* ends within its warm-up")
@pytest.mark.parametrize("schedule", schedules.names())
def test_every_schedule_fits(schedule):
    fitted = ScheduledMLPClassifier(schedule=schedule, epochs=2, random_state=0).fit(X_IRIS, y_iris)
    curve = fitted.curves_[0]
    assert fitted.learning_rate_curve_.shape == (curve.updates,)
    assert fitted.learning_rate_curve_[-1] == curve.learning_rate[-1]


def test_a_run_that_ends_within_its_warm_up_is_told_of():
    """A config of a larger data set keeps its updates."""
    ramped = ScheduledMLPClassifier(schedule="cosine", schedule_params={"warmup_steps": 10}, epochs=2, random_state=0)
    told = "ScheduledMLPClassifier.fit: the run, of 10 updates, ends within its warm-up, of 10: the learning rate only"
    with pytest.warns(UserWarning, match=told):
        ramped.fit(X_IRIS, y_iris)
    ramped.set_params(epochs=3).fit(X_IRIS, y_iris)


@pytest.mark.parametrize(
    "strategy",
    [
        {"shuffle": False},
        {"curriculum": "easy_to_hard"},
        {"curriculum": "mixed"},
        {"gradient_noise": 0.1},
        {"dropout": 0.2},
        {"batch_norm": True},
        {"clip_norm": 1.0},
        {"l2": 0.01},
        {"weight_decay": 0.01},
        {"initialization": "glorot"},
    ],
    ids=str,
)
def test_every_strategy_changes_the_fit_and_goes_pass_by_pass(strategy):
    changed = classifier(**strategy).fit(X_IRIS, y_iris)
    assert not np.array_equal(changed.predict_proba(X_IRIS), classifier().fit(X_IRIS, y_iris).predict_proba(X_IRIS))
    passes = classifier(**strategy)
    for _ in range(4):
        passes.partial_fit(X_IRIS, y_iris, classes=[0, 1, 2])
    assert np.array_equal(passes._theta, changed._theta)


# The engine's bits


@pytest.mark.parametrize("schedule", ["constant", "cosine", "batch_growth"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fit_is_a_run_of_train(schedule, dtype):
    ours = classifier(schedule=schedule, n_seeds=3, dtype=dtype).fit(X_IRIS, y_iris)
    # `train` wants rows to measure; those do not change how it trains
    (curves,) = train(iris_problem(held_out=np.arange(9)), [ours.to_config()], ours.seeds_, dtype=dtype)
    for one, other in zip(ours.curves_, curves, strict=True):
        assert one.seed == other.seed
        assert np.array_equal(one.train_loss, other.train_loss)
        assert np.array_equal(one.learning_rate, other.learning_rate)
        assert one.outcome is other.outcome is Outcome.COMPLETED
        assert (one.updates, one.gradient_evaluations) == (other.updates, other.gradient_evaluations)
        assert np.isnan(one.validation_loss).all(), "nothing was held out, and nothing is made up"


@pytest.mark.parametrize("reacting", [{"early_stopping": 2}, {"schedule": "plateau"}], ids=str)
def test_a_fit_that_reacts_is_a_run_of_train_on_its_split(reacting):
    ours = classifier(epochs=40, n_seeds=3, **reacting).fit(X_IRIS, NAMES)
    train_rows, held_out = ours._split(y_iris, ours._base_seed())
    assert sorted([*train_rows, *held_out]) == list(range(150))
    assert np.bincount(y_iris[held_out]).tolist() == [10, 10, 10]
    problem = iris_problem(train_rows, held_out)
    (curves,) = train(problem, [ours.to_config()], ours.seeds_)
    for one, other in zip(ours.curves_, curves, strict=True):
        assert np.array_equal(one.train_loss, other.train_loss)
        assert np.array_equal(one.validation_loss, other.validation_loss)
        assert (one.outcome, one.kept_epoch) == (other.outcome, other.kept_epoch)
    longest = max(len(curve.train_loss) for curve in curves)
    assert ours.n_iter_ == len(ours.loss_curve_) == len(ours.validation_loss_curve_) == longest
    first = np.mean([curve.validation_loss[0] for curve in curves])
    assert ours.validation_loss_curve_[0] == pytest.approx(first, rel=1e-12)
    assert ours.learning_rate_curve_.size == max(curve.updates for curve in curves)


def test_the_parameters_are_those_that_the_curve_ends_with():
    """Early stopping ends at the best epoch, whose held-out loss the predictions have."""
    ours = classifier(epochs=200, early_stopping=2, optimizer="adam", learning_rate=0.1, dtype="float64")
    ours.fit(X_IRIS, y_iris)
    (curve,) = ours.curves_
    assert curve.outcome is Outcome.STOPPED
    assert curve.kept_epoch == np.argmin(curve.validation_loss) + 1 == len(curve.validation_loss) - 2
    _, held_out = ours._split(y_iris, ours._base_seed())
    chosen = ours.predict_proba(X_IRIS[held_out])[np.arange(len(held_out)), y_iris[held_out]]
    assert -np.log(chosen).mean() == pytest.approx(curve.validation_loss.min(), rel=1e-9)


def test_a_cut_of_the_rate_is_in_the_rates_as_executed():
    ours = classifier(
        schedule="plateau", schedule_params={"patience": 1, "gamma": 0.5}, epochs=60, learning_rate=0.1, dtype="float64"
    ).fit(X_IRIS, y_iris)
    (curve,) = ours.curves_
    per_epoch = ours.learning_rate_curve_.reshape(60, -1)
    assert np.array_equal(per_epoch[:, -1], curve.learning_rate)
    assert np.array_equal(per_epoch.min(axis=1), per_epoch.max(axis=1))
    assert per_epoch[0, 0] == 0.1
    assert per_epoch[-1, 0] < 0.1


def test_fit_of_the_engine_has_the_curves_of_train():
    problem = iris_problem(np.arange(0, 150, 2), np.arange(1, 150, 2))
    for given_ in ({}, {"early_stopping": 1, "epochs": 60}, {"batch_norm": True}):
        config = TrainConfig.from_json({"optimizer": {"name": "adam", "learning_rate": 0.1}, "epochs": 4, **given_})
        fitted = fit(problem, config, [1, 2, 5])
        (curves,) = train(problem, [config], [1, 2, 5])
        model = problem.model.with_batch_norm() if config.batch_norm else problem.model
        losses, _ = model.evaluate(fitted.theta, problem.held_out)
        for one, other, loss in zip(fitted.curves, curves, losses, strict=True):
            assert np.array_equal(one.train_loss, other.train_loss)
            assert np.array_equal(one.validation_loss, other.validation_loss)
            assert loss == pytest.approx(one.validation_loss[one.kept_epoch - 1], rel=1e-6)
        assert (fitted.standing is None) == config.reacts


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(iris_problem(), TrainConfig(), []), "fit(seeds=...): at least one seed is needed, got none"),
        (lambda: fit(iris_problem(), TrainConfig(), [-1]), "fit(seeds=...): a seed is a whole number"),
        (
            lambda: fit(iris_problem(), TrainConfig(), [1], dtype=np.float16),
            "fit(dtype=<class 'numpy.float16'>): dtype",
        ),
        (lambda: fit(iris_problem(), TrainConfig(early_stopping=2), [1]), "fit(problem=...): a config that reacts"),
        (lambda: engine.begin(iris_problem(), TrainConfig(early_stopping=2), [1]), "begin(config=...): a config that"),
    ],
)
def test_the_engine_refuses_what_it_cannot_fit(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert str(error.value).startswith(message)


# Seeds


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


# Targets


def test_the_targets_of_a_regression_are_standardized_as_a_tasks_are():
    for y in (y_diabetes, np.c_[y_diabetes, 100 * X_DIABETES[:, 0], np.full(442, 3.0)]):
        fitted = regressor().fit(X_DIABETES, y)
        target = standardized(y.reshape(442, -1), 442)
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


# Pass by pass


@pytest.mark.parametrize("n_seeds", [1, 3])
@pytest.mark.parametrize("optimizer", ["adam", "momentum", "yellowfin"])
@pytest.mark.parametrize("schedule", ["sgdr", "linear", "batch_growth"])
def test_as_many_passes_as_epochs_are_a_fit(schedule, optimizer, n_seeds):
    settings = {"schedule": schedule, "optimizer": optimizer, "n_seeds": n_seeds, "learning_rate": None}
    whole, passes = classifier(**settings).fit(X_IRIS, y_iris), classifier(**settings)
    for _ in range(4):
        assert passes.partial_fit(X_IRIS, y_iris, classes=[0, 1, 2]) is passes
    assert np.array_equal(passes._theta, whole._theta)
    np.testing.assert_array_equal(passes.learning_rate_curve_, whole.learning_rate_curve_)
    np.testing.assert_allclose(passes.loss_curve_, whole.loss_curve_, rtol=1e-14)
    assert passes.n_iter_ == whole.n_iter_ == 4
    whole.partial_fit(X_IRIS, y_iris)
    assert np.array_equal(passes.partial_fit(X_IRIS, y_iris)._theta, whole._theta), "a fit may be trained on"


def test_passes_of_a_regression_keep_the_first_scale():
    whole, passes = regressor().fit(X_DIABETES, y_diabetes), regressor()
    for _ in range(4):
        passes.partial_fit(X_DIABETES, y_diabetes)
    assert np.array_equal(passes.predict(X_DIABETES), whole.predict(X_DIABETES))
    passes.partial_fit(X_DIABETES, 10 * y_diabetes)
    assert passes._mean == whole._mean
    with pytest.raises(InputError, match=r"y must have shape \('n',\), as at first, got \(442, 2\)"):
        passes.partial_fit(X_DIABETES, np.c_[y_diabetes, y_diabetes])


def test_the_rate_goes_on_update_by_update_and_then_stays():
    passes = classifier(epochs=3, schedule="linear", schedule_params={"floor": 0.1}, dtype="float64")
    for rows in (150, 64, 150, 150, 150):
        passes.partial_fit(X_IRIS[:rows], y_iris[:rows], classes=[0, 1, 2])
    planned = 0.01 * schedules.get("linear")(np.arange(15), 15, floor=0.1)
    updates = 5 + 2 + 5 + 5 + 5
    expected = np.concatenate([planned, np.full(updates - 15, planned[-1])])
    np.testing.assert_allclose(passes.learning_rate_curve_, expected, rtol=1e-14)
    assert passes._standing.updates == updates


def test_a_pass_leaves_where_it_began_as_it_was():
    problem = iris_problem()
    config = TrainConfig.from_json({"epochs": 3, "dropout": 0.2, "gradient_noise": 0.1})
    start = engine.begin(problem, config, [4])
    (first, one), (again, other) = (engine.train_pass(problem, start) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(one.theta, other.theta)
    assert not np.array_equal(one.theta, start.theta)


@pytest.mark.parametrize("reacting", [{"early_stopping": 3}, {"schedule": "plateau"}], ids=str)
@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_run_that_reacts_has_no_passes(make, reacting):
    assert hasattr(make(), "partial_fit")
    assert not hasattr(make(**reacting), "partial_fit")
    with pytest.raises(AttributeError) as error:
        make(**reacting).partial_fit(X_IRIS, y_iris)
    assert "reacts to held-out rows of the whole run" in str(error.value.__cause__)


def test_passes_name_their_mistakes():
    with pytest.raises(InputError, match="classes must be passed on the first call"):
        classifier().partial_fit(X_IRIS, y_iris)
    begun = classifier().partial_fit(X_IRIS, y_iris, classes=[0, 1, 2])
    with pytest.raises(InputError, match=r"partial_fit\(classes=\[0, 1\]\): the first call had"):
        begun.partial_fit(X_IRIS, y_iris, classes=[0, 1])
    with pytest.raises(InputError, match=r"y has \[7\], not among array\(\[0, 1, 2\]\)"):
        begun.partial_fit(X_IRIS, np.full(150, 7))
    with pytest.raises(InputError, match="parameters were changed since the run began"):
        begun.set_params(learning_rate=0.5).partial_fit(X_IRIS, y_iris)
    with pytest.raises(InputError, match="parameters were changed since the run began"):
        begun.set_params(learning_rate=None, n_seeds=3).partial_fit(X_IRIS, y_iris)


# Divergence


def test_a_seed_that_diverges_is_left_out_with_a_warning(monkeypatch):
    healthy = classifier(n_seeds=3).fit(X_IRIS, y_iris)
    initial = engine.Population.__init__

    def sick(population, *arguments):
        initial(population, *arguments)
        population.theta[[each.seed == healthy.seeds_[1] for each in population.replicates]] = np.nan

    monkeypatch.setattr(engine.Population, "__init__", sick)
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


# Bad values


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
            {"early_stopping": True},
            "TrainConfig(early_stopping=True): early_stopping must be a finite number, got True",
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
