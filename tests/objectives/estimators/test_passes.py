"""`partial_fit`: pass by pass."""

import numpy as np
import pytest
from small_fits import X_DIABETES, X_IRIS, classifier, iris_problem, regressor, y_diabetes, y_iris

from cooldown.objectives import TrainConfig, schedules
from cooldown.objectives.errors import InputError
from cooldown.objectives.training import engine


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
    assert "depends on held-out rows of the whole run" in str(error.value.__cause__)


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
