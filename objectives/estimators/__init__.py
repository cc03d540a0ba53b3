"""Scikit-learn estimators that train with any optimizer, schedule and strategy of the catalogs, on the batched engine.

`ScheduledMLPClassifier.from_config(best)` makes one from what a search found. They are no part of `import objectives`,
because they bring scikit-learn with them.
"""

from cooldown.objectives.estimators._classifier import ScheduledMLPClassifier
from cooldown.objectives.estimators._regressor import ScheduledMLPRegressor

__all__ = ["ScheduledMLPClassifier", "ScheduledMLPRegressor"]
