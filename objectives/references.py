"""References: what predictors that nobody tunes reach on the rows of an evaluation, for scale beside tuned arms.

They get the features and the target of the arms' own problem, and scikit-learn's default settings (`SETTINGS`).
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.quiet import quiet
from cooldown.objectives.records import NO_ERRORS, Reference

NO_MODEL = "no model"
LOGISTIC = "logistic regression"
RIDGE = "ridge regression"
TREES = "gradient-boosted trees"

SETTINGS = {
    LOGISTIC: "LogisticRegression(max_iter=1000)",
    RIDGE: "Ridge()",
    TREES: "HistGradientBoosting(random_state=0)",
}
"""scikit-learn's estimators: all else is its default, so that no reference is tuned."""

ROUNDS = 100
"""Rounds of boosting at most, scikit-learn's default: each makes a tree for every class."""

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""As in scikit-learn's log loss."""


def trained(problem: Problem, names: Sequence[str], rounds: int = ROUNDS) -> list[Reference]:
    """The references of these names, trained on the problem's training rows and measured on its held-out rows.

    "no model" is the baseline predictor: class frequencies, or the mean target. The others need a problem on an `MLP`,
    whose features and targets they get; one class alone cannot be learned, and then they are left out. The result is a
    function of the problem: fixed random numbers, one thread. rounds: of boosting, fewer where only time is of
    interest.
    """
    from threadpoolctl import threadpool_limits

    references = []
    for name in names:
        if name == NO_MODEL:
            errors = problem.units.uninformed if problem.units else NO_ERRORS
            references.append(
                Reference(NO_MODEL, problem.uninformed_loss, problem.uninformed_score, errors, seconds=0.0)
            )
            continue
        assert isinstance(problem.model, MLP)
        if problem.model.loss == "cross_entropy" and len(np.unique(problem.model.y[problem.train])) < 2:
            continue
        # Loaded before the threads are limited: their pools must be known by then.
        estimator = _estimator(name, problem.model, rounds)
        with threadpool_limits(limits=1):
            references.append(_measured(name, estimator, problem, problem.model))
    return references


def _estimator(name: str, model: MLP, rounds: int) -> Any:
    """The unfitted estimator."""
    if name == LOGISTIC:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=1000)
    if name == RIDGE:
        from sklearn.linear_model import Ridge

        return Ridge()
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if model.loss == "cross_entropy" else HistGradientBoostingRegressor
    return kind(max_iter=rounds, random_state=0)


def _measured(name: str, estimator: Any, problem: Problem, model: MLP) -> Reference:
    """The reference with this estimator, which is fitted here."""
    started = time.perf_counter()
    X, y = model.X[problem.train], model.y[problem.train]
    # A fit that is stopped at max_iter is a reference too.
    with quiet():
        weights = None if model.weights is None else model.weights[problem.train]
        estimator.fit(X, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y, sample_weight=weights)
    outputs = _outputs(estimator, model, problem.held_out)
    loss, score = _loss_and_score(outputs, model, problem.held_out)
    errors = NO_ERRORS
    if problem.units is not None:
        capped = loss > problem.uninformed_loss
        errors = problem.units.uninformed if capped else problem.units.errors(outputs, model.y[problem.held_out])
    return Reference(name, min(loss, problem.uninformed_loss), score, errors, time.perf_counter() - started)


def _outputs(estimator: Any, model: MLP, rows: Indices) -> NDArray[np.float64]:
    """(m, K) what a network would put out: logarithms of probabilities, or standardized targets. A class without
    training rows has the smallest probability.
    """
    if model.loss == "squared_error":
        return np.asarray(estimator.predict(model.X[rows]), np.float64).reshape(len(rows), -1)
    probabilities = np.zeros((len(rows), model.n_outputs))
    probabilities[:, estimator.classes_] = estimator.predict_proba(model.X[rows])
    return np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))


def _loss_and_score(outputs: NDArray[np.float64], model: MLP, rows: Indices) -> tuple[float, float]:
    """Log loss and accuracy, or squared error and R², or what the model measures in their place."""
    y = model.y[rows]
    if model.loss == "cross_entropy":
        loss, score = float(-outputs[np.arange(len(y)), y].mean()), float((outputs.argmax(axis=1) == y).mean())
    else:
        loss, variance = float(np.square(outputs - y).mean()), float(y.var(axis=0).mean())
        score = 1 - loss / variance if variance > 0 else float("nan")
    if model.measuring is None:
        return loss, score
    losses, scores = model.measuring.measure(outputs[None], model.y, rows, np.array([loss]), np.array([score]))
    return float(losses[0]), float(scores[0])
