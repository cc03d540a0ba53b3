"""What happens around and during a `fit`: early stopping, own rows to watch, warm starts, output and callbacks."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.metrics import log_loss
from small_fits import NAMES, X_DIABETES, X_IRIS, classifier, regressor, y_diabetes, y_iris

from cooldown.objectives import Outcome
from cooldown.objectives.errors import InputError

ODD = np.arange(150) % 2 == 1
X_VAL, Y_VAL = X_IRIS[ODD], NAMES[ODD]


# --- early stopping, rows to watch


def test_early_stopping_is_a_truth_value_too():
    assert classifier(early_stopping=True).to_config().early_stopping == 10
    assert classifier(early_stopping=False).to_config() == classifier().to_config()
    assert hasattr(classifier(early_stopping=False), "partial_fit")
    assert not hasattr(classifier(early_stopping=True), "partial_fit")
    fast = {"learning_rate": 0.1, "epochs": 300}
    one = classifier(early_stopping=True, **fast).fit(X_IRIS, y_iris)
    assert np.array_equal(one._theta, classifier(early_stopping=10, **fast).fit(X_IRIS, y_iris)._theta)
    assert one.curves_[0].outcome is Outcome.STOPPED
    assert one.curves_[0].kept_epoch == one.n_iter_ - 10


def test_own_rows_are_watched_and_all_others_trained_on():
    fitted = classifier(early_stopping=2, epochs=200, learning_rate=0.1, dtype="float64")
    fitted.fit(X_IRIS[~ODD], NAMES[~ODD], X_val=X_VAL, y_val=Y_VAL)
    (curve,) = fitted.curves_
    assert curve.outcome is Outcome.STOPPED
    assert curve.gradient_evaluations == 75 * fitted.n_iter_
    expected = log_loss(Y_VAL, fitted.predict_proba(X_VAL), labels=fitted.classes_)
    assert fitted.validation_loss_curve_.min() == pytest.approx(expected, rel=1e-9)


def test_own_rows_are_measured_without_a_say():
    plain, measured = classifier().fit(X_IRIS, NAMES), classifier().fit(X_IRIS, NAMES, X_val=X_VAL, y_val=Y_VAL)
    assert np.array_equal(measured._theta, plain._theta)
    assert plain.validation_loss_curve_ is None
    assert measured.validation_loss_curve_.shape == (4,)
    fitted = regressor(dtype="float64").fit(
        X_DIABETES[:300], y_diabetes[:300], X_val=X_DIABETES[300:], y_val=y_diabetes[300:]
    )
    errors = (fitted.predict(X_DIABETES[300:]) - y_diabetes[300:]) / y_diabetes[:300].std()
    assert fitted.validation_loss_curve_[-1] == pytest.approx(np.square(errors).mean())


def test_own_rows_name_their_mistakes():
    with pytest.raises(InputError, match=r"fit\(X_val=...\): needs y_val too"):
        classifier().fit(X_IRIS, NAMES, X_val=X_VAL)
    with pytest.raises(InputError, match=r"fit\(y_val=...\): needs X_val too"):
        classifier().fit(X_IRIS, NAMES, y_val=Y_VAL)
    with pytest.raises(InputError, match=r"fit\(sample_weight_val=...\): needs X_val and y_val"):
        classifier().fit(X_IRIS, NAMES, sample_weight_val=[1.0])
    with pytest.raises(InputError, match=r"y has \['rosa'\], not among"):
        classifier().fit(X_IRIS, NAMES, X_val=X_VAL[:1], y_val=["rosa"])
    with pytest.raises(ValueError, match="expecting 4 features"):
        classifier().fit(X_IRIS, NAMES, X_val=X_VAL[:, :2], y_val=Y_VAL)


# --- warm starts


@pytest.mark.parametrize("make", [classifier, regressor])
def test_a_warm_fit_begins_where_the_last_one_ended(make):
    X, y = (X_IRIS, NAMES) if make is classifier else (X_DIABETES, y_diabetes)
    # Nothing is learned at this rate: what comes out is what went in.
    still = {"optimizer": "sgd", "learning_rate": 1e-30}
    warm = make(n_seeds=2, warm_start=True).fit(X, y)
    before = warm._theta.copy()
    warm.set_params(**still).fit(X, y)
    assert np.array_equal(warm._theta, before)
    cold = clone(warm).set_params(warm_start=False).fit(X, y)
    assert not np.array_equal(cold._theta, before)


def test_a_warm_fit_goes_on_learning_and_keeps_classes_and_scale():
    warm = classifier(warm_start=True, learning_rate=0.003).fit(X_IRIS, NAMES)
    first = warm.loss_curve_[0]
    assert warm.fit(X_IRIS[:100], NAMES[:100]).loss_curve_[0] < first
    assert len(warm.classes_) == 3
    numbers = regressor(warm_start=True).fit(X_DIABETES, y_diabetes)
    scale = numbers._scale
    assert np.array_equal(numbers.fit(X_DIABETES, 10 * y_diabetes)._scale, scale)


def test_a_warm_fit_names_what_does_not_fit():
    warm = classifier(warm_start=True).fit(X_IRIS, NAMES)
    with pytest.raises(
        InputError, match=r"be those of the last fit, \(\(32,\), 'relu', False, 1\), got \(\(8,\), 'relu'"
    ):
        clone(warm).fit(X_IRIS, NAMES).set_params(hidden_layer_sizes=(8,)).fit(X_IRIS, NAMES)
    with pytest.raises(InputError, match="False, 3\\); with warm_start=False it begins anew"):
        clone(warm).fit(X_IRIS, NAMES).set_params(n_seeds=3).fit(X_IRIS, NAMES)
    with pytest.raises(ValueError, match="expecting 4 features"):
        warm.fit(X_IRIS[:, :2], NAMES)
    with pytest.raises(InputError, match="y has"):
        classifier(warm_start=True).fit(X_IRIS, NAMES).fit(X_IRIS, y_iris.astype(str))


def test_in_a_warm_fit_a_seed_that_had_diverged_begins_anew():
    fitted = classifier(n_seeds=3, warm_start=True).fit(X_IRIS, y_iris)
    fresh = classifier(n_seeds=3).fit(X_IRIS, y_iris)
    fitted._members, fitted._theta = np.array([True, False, True]), fitted._theta[[0, 2]]
    fitted.fit(X_IRIS, y_iris)
    assert len(fitted._theta) == 3
    assert np.array_equal(fitted._theta[1], fresh._theta[1])
    assert not np.array_equal(fitted._theta[0], fresh._theta[0])


# --- output and callbacks


def test_a_verbose_fit_prints_its_losses(capsys):
    fitted = classifier(verbose=True, epochs=2).fit(X_IRIS, NAMES, X_val=X_VAL, y_val=Y_VAL)
    losses = zip(fitted.loss_curve_, fitted.validation_loss_curve_, strict=True)
    assert capsys.readouterr().out.splitlines() == [
        f"epoch {epoch}/2: training loss {train:.6g}, validation loss {watched:.6g}"
        for epoch, (train, watched) in enumerate(losses, 1)
    ]
    classifier(epochs=2).fit(X_IRIS, NAMES)
    assert capsys.readouterr().out == ""


class Told:
    """A callback that counts, and asks to stop after an epoch; `called` are the hooks in their order."""

    def __init__(self, last=None):
        self.last, self.called, self.predictions = last, [], []

    def setup(self, estimator, context):
        self.called.append("setup")

    def teardown(self, estimator, context):
        self.called.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.called.append(f"begin {context.task_name} {context.task_id}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.called.append(f"end {context.task_name} {context.task_id}")
        assert len(X) == len(y) == 150
        if fitted_estimator is not None:
            self.predictions.append(fitted_estimator.predict_proba(X))
        return context.task_name == "epoch" and context.task_id == self.last


def test_callbacks_are_told_of_every_epoch_and_may_end_the_fit():
    told, plain = Told(), classifier(epochs=2).fit(X_IRIS, NAMES)
    fitted = classifier(epochs=2).set_callbacks(told).fit(X_IRIS, NAMES)
    assert np.array_equal(fitted._theta, plain._theta)
    epochs = ["begin epoch 0", "end epoch 0", "begin epoch 1", "end epoch 1"]
    assert told.called == ["setup", "begin fit 0", *epochs, "end fit 0", "teardown"]
    assert np.array_equal(told.predictions[1], fitted.predict_proba(X_IRIS)), "the estimator as of that epoch"
    assert not np.array_equal(told.predictions[0], told.predictions[1])
    stopped = classifier(epochs=9).set_callbacks(Told(last=1)).fit(X_IRIS, NAMES)
    assert stopped.n_iter_ == len(stopped.loss_curve_) == 2
    assert stopped.curves_[0].outcome is Outcome.STOPPED


def test_callbacks_are_torn_down_when_a_fit_fails():
    told = Told()
    with pytest.raises(InputError, match="all 1 seeds diverged"):
        classifier(optimizer="sgd", learning_rate=1e30, epochs=2).set_callbacks(told).fit(X_IRIS, NAMES)
    assert told.called[-1] == "teardown"


def test_scikit_learns_monitor_scores_every_epoch():
    monitor = ScoringMonitor(scoring="accuracy")
    fitted = classifier().set_callbacks(monitor).fit(X_IRIS, NAMES)
    scores = [entry["accuracy"] for entry in monitor.get_logs().data if entry["task_name"] == "epoch"]
    assert len(scores) == 4
    assert scores[-1] == fitted.score(X_IRIS, NAMES)
