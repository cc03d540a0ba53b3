"""Scikit-learn estimators that train with any optimizer, schedule and strategy of the catalogs, on the batched engine.

`ScheduledMLPClassifier.from_config(config)` creates one from a search's best config. `import cooldown.objectives` does
not load them, because they load scikit-learn.
"""

from cooldown.objectives.estimators._classifier import ScheduledMLPClassifier
from cooldown.objectives.estimators._regressor import ScheduledMLPRegressor

__all__ = ["ScheduledMLPClassifier", "ScheduledMLPRegressor"]
