"""Errors in the target's own units: predictions by hand, capped runs, problems that have none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from cooldown import tasks
from cooldown.objectives import Curve, Outcome, TrainConfig, train
from cooldown.objectives.data.scaling import standardized
from cooldown.objectives.training.engine import fit

SEEDS = [0, 1, 2]


def config(rate: float = 0.01, **changes: Any) -> TrainConfig:
    return TrainConfig.from_json({"optimizer": {"name": "momentum", "learning_rate": rate}, "epochs": 4, **changes})


@pytest.mark.parametrize("strategies", [{}, {"batch_norm": True}, {"early_stopping": 1}])
def test_they_are_those_of_the_final_predictions(strategies: dict[str, Any]) -> None:
    task = tasks.get("diabetes")
    rows = task.split(0, 0, 1)
    problem = task.problem(rows.train, rows.validation)
    fitted = fit(problem, config(**strategies), SEEDS)
    model: Any = problem.model
    if strategies.get("batch_norm"):
        model = model.with_batch_norm()
    y = task.data[1]  # type: ignore[attr-defined]
    mean, deviation = y[rows.train].mean(), y[rows.train].std()
    for theta, curve in zip(fitted.theta, fitted.curves, strict=True):
        predicted = mean + deviation * model.predict(theta[None], model.X[problem.held_out])[0, :, 0].astype(float)
        assert curve.errors.rmse == pytest.approx(root_mean_squared_error(y[rows.validation], predicted))
        assert curve.errors.mae == pytest.approx(mean_absolute_error(y[rows.validation], predicted))
        assert curve.errors.rmse == pytest.approx(deviation * np.sqrt(curve.final_loss), rel=1e-5)


def test_together_or_alone_measured_once_or_often_they_are_the_same() -> None:
    problems = tasks.get("diabetes").search_problems(0, 0, SEEDS)
    together = train(problems, [config()], SEEDS)[0]
    (once,) = train(problems, [config()], SEEDS, every_epoch=False)
    alone = [train(problem, [config()], [seed])[0][0] for problem, seed in zip(problems, SEEDS, strict=True)]
    assert [curve.errors for curve in together] == [curve.errors for curve in once] == [c.errors for c in alone]
    assert len({curve.errors for curve in together}) == len(SEEDS)


def test_a_capped_run_has_those_of_the_mean_target() -> None:
    problem = tasks.get("diabetes").evaluation_problems(0, 0, [1])[0]
    assert problem.units is not None
    diverged, bad = (train(problem, [config(rate, epochs=1)], [0])[0][0] for rate in (1e3, 1e-9))
    assert diverged.outcome is Outcome.DIVERGED
    assert bad.outcome is Outcome.COMPLETED
    assert bad.capped, "an untrained network is worse than the mean"
    assert diverged.errors == bad.errors == problem.units.uninformed


def test_several_targets_are_pooled_in_their_own_units() -> None:
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(50, 2)) * [1.0, 100.0] + [5.0, -3.0]
    scaled, units = standardized(targets, 40)
    assert units.restored(scaled) == pytest.approx(targets)
    outputs = rng.normal(size=(10, 2))
    difference = units.restored(outputs) - targets[40:]
    errors = units.errors(outputs, scaled[40:])
    assert errors == pytest.approx((np.sqrt((difference**2).mean()), np.abs(difference).mean()))
    mean = targets[40:] - targets[:40].mean(axis=0)
    assert units.uninformed == pytest.approx((np.sqrt((mean**2).mean()), np.abs(mean).mean()))


@pytest.mark.parametrize("name", ["iris", "quadratic"])
def test_what_has_no_units_has_no_errors(name: str) -> None:
    def errors(curve: Curve) -> list[float]:
        return [curve.errors.rmse, curve.errors.mae]

    (curve,) = train(tasks.get(name), [config(epochs=1)], [0])[0]
    assert np.isnan(errors(curve)).all()
    without = replace(tasks.get("diabetes").search_problem(), units=None)
    assert np.isnan(errors(train(without, [config(epochs=1)], [0])[0][0])).all()
