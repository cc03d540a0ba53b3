"""scikit-learn estimators on Cooldown's engine: `ScheduledMLPClassifier` and `ScheduledMLPRegressor`."""

from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor

__all__ = ["ScheduledMLPClassifier", "ScheduledMLPRegressor"]
