"""The search as a scikit-learn estimator: `ScheduledSearchCV`, exported by `cooldown.estimators`."""

from cooldown.search.estimators.search_cv import ScheduledSearchCV

__all__ = ["ScheduledSearchCV"]
