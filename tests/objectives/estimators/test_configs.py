"""What an estimator trains: every optimizer, schedule and strategy, and the engine's bits inside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from small_fits import NAMES, X_IRIS, classifier, iris_problem, y_iris

from cooldown.objectives import Outcome, TrainConfig, optimizers, schedules, train
from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from cooldown.objectives.strategies import STRATEGIES
from cooldown.objectives.training import engine
from cooldown.objectives.training.engine import fit

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
    with pytest.raises(TypeError, match="the config already sets epochs: use set_params to change it"):
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
    message = "ScheduledMLPClassifier.fit: the run of 10 updates ends within its warm-up of 10: the learning rate only"
    with pytest.warns(UserWarning, match=message):
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
        assert np.isnan(one.held_out_loss).all(), "nothing was held out, and nothing is made up"


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
        assert np.array_equal(one.held_out_loss, other.held_out_loss)
        assert (one.outcome, one.kept_epoch) == (other.outcome, other.kept_epoch)
    longest = max(len(curve.train_loss) for curve in curves)
    assert ours.n_iter_ == len(ours.loss_curve_) == len(ours.validation_loss_curve_) == longest
    first = np.mean([curve.held_out_loss[0] for curve in curves])
    assert ours.validation_loss_curve_[0] == pytest.approx(first, rel=1e-12)
    assert ours.learning_rate_curve_.size == max(curve.updates for curve in curves)


def test_the_parameters_are_those_that_the_curve_ends_with():
    """Early stopping ends at the best epoch, whose held-out loss the predictions have."""
    ours = classifier(epochs=200, early_stopping=2, optimizer="adam", learning_rate=0.1, dtype="float64")
    ours.fit(X_IRIS, y_iris)
    (curve,) = ours.curves_
    assert curve.outcome is Outcome.STOPPED
    assert curve.kept_epoch == np.argmin(curve.held_out_loss) + 1 == len(curve.held_out_loss) - 2
    _, held_out = ours._split(y_iris, ours._base_seed())
    chosen = ours.predict_proba(X_IRIS[held_out])[np.arange(len(held_out)), y_iris[held_out]]
    assert -np.log(chosen).mean() == pytest.approx(curve.held_out_loss.min(), rel=1e-9)


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
            assert np.array_equal(one.held_out_loss, other.held_out_loss)
            assert loss == pytest.approx(one.held_out_loss[one.kept_epoch - 1], rel=1e-6)
        assert (fitted.standing is None) == config.reacts


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit(iris_problem(), TrainConfig(), []), "fit(seeds=...): at least one seed is needed, got none"),
        (lambda: fit(iris_problem(), TrainConfig(), [-1]), "fit(seeds=...): a seed must be a whole number"),
        (
            lambda: fit(iris_problem(), TrainConfig(), [1], dtype=np.float16),
            "fit(dtype=<class 'numpy.float16'>): dtype",
        ),
        (
            lambda: fit(iris_problem(), TrainConfig(early_stopping=2), [1]),
            "fit(problem=...): early stopping and schedules",
        ),
        (
            lambda: engine.begin(iris_problem(), TrainConfig(early_stopping=2), [1]),
            "begin(config=...): early stopping and",
        ),
    ],
)
def test_the_engine_refuses_what_it_cannot_fit(call, message):
    with pytest.raises(InputError) as error:
        call()
    assert str(error.value).startswith(message)
