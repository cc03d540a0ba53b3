"""Measures of held-out rows by name: scikit-learn's scorers, as `--metric` and `--objective` choose them.

scikit-learn's functions are the definition. A scorer of an error, whose name starts with `neg_`, is called without this
prefix or by a short name, and its value is the error itself: lower is better. Of two classes the second is the positive
one, in the order of the labels. Some measures that scikit-learn takes long for have a quicker formula
(quick_measures.py), with the same values.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.quick_measures import QUICK
from cooldown.objectives.quiet import quiet

Values = NDArray[Any]

SHORT = {
    "mae": "neg_mean_absolute_error",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "mape": "neg_mean_absolute_percentage_error",
    "medae": "neg_median_absolute_error",
    "msle": "neg_mean_squared_log_error",
    "rmsle": "neg_root_mean_squared_log_error",
    "brier": "neg_brier_score",
    "poisson_deviance": "neg_mean_poisson_deviance",
    "gamma_deviance": "neg_mean_gamma_deviance",
}
"""Names that people use for scikit-learn's scorers."""

OF_NUMBERS = re.compile(r"r2|explained_variance|d2_absolute_error_score|neg_(?!brier|log_loss|negative_likelihood).*")
"""The scorers of a regression."""

OF_CLUSTERS = re.compile(r".*(mutual_info|rand)_score|(completeness|fowlkes_mallows|homogeneity|v_measure)_score")
"""The scorers that compare two partitions of rows, whatever their labels are called."""

OF_POSITIVE = ("msle", "rmsle", "poisson_deviance", "gamma_deviance")
"""The measures that are defined for positive predictions only."""

UNBOUNDED = ("positive_likelihood_ratio", "negative_likelihood_ratio")
"""The measures that are undefined for many predictors, so that nothing can be decided by them."""


@dataclass(frozen=True)
class Measure:
    """One measure. name: as it is shown, such as "roc_auc" or "mae". scorer: scikit-learn's name."""

    name: str
    scorer: str

    @property
    def is_error(self) -> bool:
        """Whether lower is better, and 0 the best."""
        return self.scorer.startswith("neg_")

    @property
    def loss_name(self) -> str:
        """What the measure is called as a loss."""
        return self.name if self.is_error else f"1 − {self.name}"

    def loss(self, values: Values) -> Values:
        """The measure as a loss: an error itself, and 1 minus a score whose best value is 1."""
        return values if self.is_error else 1 - values


def plain_name(name: str) -> str:
    """The name by which a measure is known, given any of its names: `mae` for `neg_mean_absolute_error`."""
    short = {scorer: short for short, scorer in SHORT.items()}
    return short.get(name, short.get(f"neg_{name}", name.removeprefix("neg_")))


def named(name: str) -> Measure:
    """The measure of a `plain_name`, whether or not there is one."""
    # As loaded without scikit-learn, whose import takes long: lists and tables only need the words.
    error = name in SHORT or name in ("log_loss", "max_error", "negative_likelihood_ratio")
    return Measure(name, SHORT.get(name, f"neg_{name}" if error else name))


def checked(
    where: str,
    name: str,
    *,
    classes: int | None,
    targets: int = 1,
    weighted: bool = False,
    positive: bool = False,
) -> Measure:
    """The measure called `name`, if it fits a task; InputError with those that do.

    where: the start of the message, "metric" or "objective". classes: their number, None for a regression. targets:
    numbers to predict per row. weighted: whether rows have weights. positive: whether all predictions are positive.
    """
    from sklearn.metrics import get_scorer_names

    measure = named(plain_name(name))
    scorers = get_scorer_names()
    if measure.scorer not in scorers:
        raise unknown_name(where, name, map(plain_name, _fitting(classes, targets, weighted, positive)))
    reason = _objection(measure, classes, targets, weighted, positive)
    if reason is None and where == "objective" and measure.name in UNBOUNDED:
        reason = "is undefined for many predictors"
    if reason is None:
        return measure
    fitting = [each for each in map(plain_name, _fitting(classes, targets, weighted, positive)) if each != name]
    alike = [each for each in fitting if each.startswith(measure.name)] or fitting
    raise InputError(f"{where} {name!r} {reason} (choose from: {', '.join(sorted(alike))})")


def _fitting(classes: int | None, targets: int, weighted: bool, positive: bool) -> list[str]:
    """The scorers that fit such a task."""
    from sklearn.metrics import get_scorer_names

    known = [named(plain_name(scorer)) for scorer in get_scorer_names()]
    return [each.scorer for each in known if _objection(each, classes, targets, weighted, positive) is None]


def _objection(measure: Measure, classes: int | None, targets: int, weighted: bool, positive: bool) -> str | None:
    """Why a measure does not fit such a task; None if it does."""
    if OF_CLUSTERS.fullmatch(measure.scorer):
        return "compares clusterings, which have no labels to predict"
    if OF_NUMBERS.fullmatch(measure.scorer):
        if classes is not None:
            return "is for a regression, and the task has classes"
        if measure.name in OF_POSITIVE and not positive:
            return "needs positive predictions, which --target-transform log makes sure of"
    elif classes is None:
        return "is for classes, and the task is a regression"
    # scikit-learn knows best: what it refuses is refused, on a few rows of each class.
    n = 2 * (classes or 4)
    rng = np.random.default_rng(0)
    if classes is not None:
        y: Values = np.arange(n) % classes
        predictions: Values = rng.dirichlet(np.ones(classes), n)
    else:
        y = rng.uniform(1, 2, n if targets == 1 else (n, targets))
        predictions = rng.uniform(1, 2, y.shape)
    if measure.scorer == "top_k_accuracy" and classes == 2:
        return "counts the two likeliest classes, and the task has no others"
    try:
        scored(measure, y, predictions, np.ones(n) if weighted else None)
    except (TypeError, ValueError) as error:
        if weighted and "sample_weight" in str(error):
            return "cannot weigh rows"
        return _objection_of_classes(classes, targets, str(error))
    return None


def _objection_of_classes(classes: int | None, targets: int, error: str) -> str:
    if classes is None:
        return f"cannot measure {targets} targets" if targets > 1 else f"cannot be used: {error}"
    if classes > 2:
        return f"does not fit {classes} classes"
    return "is for rows with several labels"


def scored(measure: Measure, y: Values, predictions: Values, weights: Values | None = None) -> float:
    """The measure by scikit-learn's scorer.

    y: (m,) classes 0…K−1, or numbers (m,) or (m, K). predictions: (m, K) probabilities of the classes, or numbers like
    y. weights: (m,) of the rows. Raises what scikit-learn raises.
    """
    from sklearn.metrics import get_scorer

    classifies = not OF_NUMBERS.fullmatch(measure.scorer)
    known = _known_predictions()[0 if classifies else 1](predictions)
    options = {} if weights is None else {"sample_weight": weights}
    # What is undefined, such as the precision for a class that is never predicted, counts as scikit-learn says.
    with quiet():
        score = float(get_scorer(measure.scorer)(known, np.empty((len(y), 0)), y, **options))
    return -score if measure.is_error else score


@cache
def _known_predictions() -> tuple[Callable[[Values], Any], Callable[[Values], Any]]:
    """Fitted estimators whose predictions are known: a classifier and a regressor."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
        def __init__(self, probabilities: Values) -> None:
            self.probabilities, self.classes_ = probabilities, np.arange(probabilities.shape[1])

        def predict_proba(self, *_: Values) -> Values:
            return self.probabilities

        def predict(self, *_: Values) -> Values:
            return np.asarray(self.probabilities.argmax(axis=1))

    class Regressor(RegressorMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]
        def __init__(self, numbers: Values) -> None:
            self.numbers_ = numbers

        def predict(self, *_: Values) -> Values:
            return self.numbers_

    return Classifier, Regressor


def measured(measure: Measure, y: Values, predictions: Values, weights: Values | None = None) -> float:
    """The measure, by the quick way if there is one; NaN where it is undefined, as with a single class in `y`, and for
    predictions that are not finite. Arguments as for `scored`.
    """
    if not np.isfinite(predictions).all():
        return float("nan")
    quick = QUICK.get(measure.name)
    if quick is not None and weights is None and (value := quick(y, predictions)) is not None:
        return value
    try:
        return scored(measure, y, predictions, weights)
    except ValueError:
        return float("nan")
