"""Conformance checks: the rules that every optimizer, schedule, task and model must follow, one function each.

`cooldown check NAME` runs them and prints the outcome; `cooldown.testing` offers them for pytest. Cooldown's own tests
of the catalogs use the same checks.
"""

from cooldown.objectives import optimizers, schedules, tasks
from cooldown.objectives.catalog import imported, unknown_name
from cooldown.objectives.conformance.check import Check
from cooldown.objectives.conformance.of_models import model_checks
from cooldown.objectives.conformance.of_optimizers import optimizer_checks
from cooldown.objectives.conformance.of_schedules import schedule_checks
from cooldown.objectives.conformance.of_tasks import task_checks
from cooldown.objectives.data.openml import PREFIX
from cooldown.objectives.errors import InputError
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.schedules import Schedule
from cooldown.objectives.tasks import Task


def checks(name: str) -> list[Check]:
    """The checks of the optimizer, schedule or task `name`, a catalog entry or one at `module:attribute`.

    Raises InputError if there is none.
    """
    if ":" in name and not name.startswith(PREFIX):
        entry = imported(name, "entry", (Optimizer, Schedule, Task))
        if isinstance(entry, Task):
            return task_checks(entry)
        return optimizer_checks(name) if isinstance(entry, Optimizer) else schedule_checks(name)
    kinds = {"optimizer": optimizers.names(), "schedule": schedules.names(), "task": tasks.names()}
    matching = [kind for kind, names in kinds.items() if name in names]
    if len(matching) > 1:
        raise InputError(
            f"{name!r} is the name of several entries ({', '.join(matching)}): give the one to check as "
            "module:attribute, or rename one of them"
        )
    if matching == ["optimizer"]:
        return optimizer_checks(name)
    if matching == ["schedule"]:
        return schedule_checks(name)
    if tasks.origin(name) == "object":
        raise unknown_name("optimizer, schedule or task", name, [known for names in kinds.values() for known in names])
    return task_checks(name)


__all__ = ["Check", "checks", "model_checks", "optimizer_checks", "schedule_checks", "task_checks"]
