"""The numerics of Cooldown: what is trained, with which rule, under which schedule, on which task.

`optimizers`, `schedules`, `tasks` and `surfaces` are catalogs: one file per entry, found by scanning the folder.
`train` runs the one training loop on a population of replicates; `descend` runs one rule on any gradient function. This
package uses no Optuna, no SQL and no web page. The engine is loaded by the first run, because it loads the compiler.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from cooldown.objectives import optimizers, schedules, surfaces, tasks
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.descent import descend
from cooldown.objectives.errors import InputError
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve, Outcome

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


def train(
    task: Any,
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    *,
    target: str | None = None,
    test: Any = None,
    sample_weight: str | None = None,
    groups: Any = None,
    time: Any = None,
    **options: Any,
) -> list[list[Curve]]:
    """Train every config with every seed: curves as a list (configs) of lists (seeds).

    task: a Task, or the path of a table or a DataFrame, with the settings of `tasks.given`; a Problem, or a list of one
    Problem per seed. options: `dtype`, `every_epoch`, `every_update` and `limits`, as of `training.engine.train`, which
    this calls. Raises InputError for unusable arguments.
    """
    from cooldown.objectives.training import engine

    settings = {"target": target, "test": test, "sample_weight": sample_weight, "groups": groups, "time": time}
    path = isinstance(task, PathLike) or (isinstance(task, str) and tasks.origin(task) == "table")
    if path or isinstance(task, tasks.Task) or tasks.is_frame(task):
        task = tasks.given(task, **settings)
    elif told := [name for name, value in settings.items() if value is not None]:
        raise InputError(f"train({told[0]}=...): is for a table, got {task!r:.80}")
    return engine.train(task, configs, seeds, **options)
