"""The numerics of Cooldown: what is trained, with which rule, under which schedule, on which task.

`optimizers`, `schedules`, `tasks` and `surfaces` are catalogs: one file per entry, found by scanning the folder.
`train` runs the one training loop on a population of replicates; `descend` runs one rule on any gradient function. This
package uses no Optuna, no SQL and no web page. `train` is loaded on first use, because it loads the compiler.
"""

from typing import TYPE_CHECKING, Any

from cooldown.objectives import optimizers, schedules, surfaces, tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.descent import descend
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve, Outcome

if TYPE_CHECKING:
    from cooldown.objectives.training.engine import train

__all__ = [
    "Curve",
    "Hyperparameter",
    "Outcome",
    "Problem",
    "TrainConfig",
    "descend",
    "optimizers",
    "schedules",
    "surfaces",
    "tasks",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "train":
        from cooldown.objectives.training.engine import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
