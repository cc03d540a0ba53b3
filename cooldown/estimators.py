"""scikit-learn estimators on Cooldown's engine: `ScheduledMLPClassifier` and `ScheduledMLPRegressor`, and
`ScheduledSearchCV`, which searches their best config.

The search is imported on first use; the estimators do not need it.
"""

from typing import TYPE_CHECKING, Any

from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor

if TYPE_CHECKING:
    from cooldown.search.estimators import ScheduledSearchCV

__all__ = ["ScheduledMLPClassifier", "ScheduledMLPRegressor", "ScheduledSearchCV"]


def __getattr__(name: str) -> Any:
    if name == "ScheduledSearchCV":
        from cooldown.search.estimators import ScheduledSearchCV

        return ScheduledSearchCV
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
