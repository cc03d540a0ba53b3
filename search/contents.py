"""What the catalogs hold, as `cooldown catalog` tells it."""

import sys
from typing import Any

from objectives import optimizers, schedules, tasks
from search.arms import Arm
from search.spec import DEFAULT_ARMS


def contents() -> dict[str, list[dict[str, Any]]]:
    """Per section its entries: name, what it is, and for rules and schedules formula, source and hyperparameters."""
    return {
        "optimizers": [_described(optimizers.get(name)) for name in optimizers.names()],
        "schedules": [_described(schedules.get(name)) for name in schedules.names()],
        "tasks": [{"name": name, "about": _first_line(name)} for name in tasks.names()],
        "arms": [{"name": arm, "about": _arm(arm)} for arm in DEFAULT_ARMS],
    }


def _described(entry: Any) -> dict[str, Any]:
    return {
        "name": entry.name,
        "about": entry.formula,
        "reference": entry.reference,
        "hyperparameters": [hyperparameter.to_json() for hyperparameter in entry.hyperparameters],
    }


def _first_line(name: str) -> str:
    """What a task's file says of it in its first sentence."""
    text = sys.modules[f"objectives.tasks.{name}"].__doc__ or ""
    return " ".join(text.split()).partition(". ")[0] + "."


def _arm(name: str) -> str:
    arm = Arm.parse(name)
    schedule = ", ".join(arm.schedules)
    return f"{', '.join(arm.optimizers)}, {'a constant rate' if schedule == 'constant' else f'annealed by {schedule}'}"
