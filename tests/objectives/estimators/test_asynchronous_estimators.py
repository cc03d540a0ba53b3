"""Estimators whose workers are simulated."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from cooldown import TrainConfig
from cooldown.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor

X, Y = load_iris(return_X_y=True)
METHOD = {"name": "hogwild", "workers": 4, "compute": "exponential", "staleness_scaling": True}


def test_a_config_with_workers_comes_and_goes() -> None:
    config = TrainConfig.from_json({"epochs": 5, "asynchronous": METHOD})
    estimator = ScheduledMLPClassifier.from_config(config, random_state=0, n_seeds=2)
    assert estimator.to_config() == config
    fitted = estimator.fit(X, Y)
    again = ScheduledMLPClassifier(epochs=5, asynchronous=METHOD, random_state=0, n_seeds=2).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))
    alone = ScheduledMLPClassifier(epochs=5, random_state=0, n_seeds=2).fit(X, Y)
    assert (fitted.predict_proba(X) != alone.predict_proba(X)).any()
    assert estimator.with_config(TrainConfig.from_json({"epochs": 5})).asynchronous is None


def test_workers_do_not_wait_for_a_pass() -> None:
    regressor = ScheduledMLPRegressor(epochs=2, asynchronous="easgd", random_state=0)
    assert np.isfinite(regressor.fit(X, Y).predict(X)).all()
    with pytest.raises(AttributeError) as raised:
        regressor.partial_fit(X, Y)
    assert "has workers that do not wait at the end of a pass" in str(raised.value.__cause__)
