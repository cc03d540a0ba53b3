"""The entries of all catalogs, as `cooldown catalog` shows them."""

import sys
from typing import Any

from cooldown.objectives import asynchronous, optimizers, schedules, surfaces, tasks
from cooldown.objectives.relations import KnownArm
from cooldown.objectives.strategies import STRATEGIES, Strategy
from cooldown.objectives.surfaces import Surface
from cooldown.search import export as formats
from cooldown.search.export import ModelFormat, TableFormat
from cooldown.search.export.format import Format
from cooldown.search.spec import samplers
from cooldown.search.spec.arms import known_arms
from cooldown.search.spec.experiment import DEFAULT_ARMS


def contents() -> dict[str, list[dict[str, Any]]]:
    """The entries of each section: name, description and, if they have them, formula, source and hyperparameters."""
    return {
        "optimizers": [_described(optimizers.get(name)) for name in optimizers.names()],
        "schedules": [_described(schedules.get(name)) for name in schedules.names()],
        "asynchronous": [_described(asynchronous.get(name)) for name in asynchronous.names()],
        "strategies": [_strategy(strategy) for strategy in STRATEGIES.values()],
        "tasks": [{"name": name, "about": first_line(name)} for name in tasks.names()],
        "surfaces": [_surface(surfaces.get(name)) for name in surfaces.names()],
        "samplers": [{"name": name, "about": samplers.get(name).about} for name in samplers.names()],
        "formats": [_format(formats.get(name)) for name in formats.names()],
        "arms": [_arm(name, known) for name, known in known_arms().items()],
    }


def _described(entry: Any) -> dict[str, Any]:
    return {
        "name": entry.name,
        "about": entry.formula,
        "reference": entry.reference,
        "hyperparameters": [hyperparameter.to_json() for hyperparameter in entry.hyperparameters],
    }


def _surface(surface: Surface) -> dict[str, Any]:
    """A surface with all its minima; its description names only the lowest."""
    lowest = min((minimum.value for minimum in surface.minima), default=0.0)
    places = [minimum.point for minimum in surface.minima if minimum.value == lowest]
    which = f"minimum {lowest:g} at {', '.join(f'({x:.4g}, {y:.4g})' for x, y in places)}" if places else "no minimum"
    others = len(surface.minima) - len(places)
    return {
        "name": surface.name,
        "about": f"{surface.formula}; {which}{f', and {others} higher ones' if others else ''}",
        "formula": surface.formula,
        "reference": surface.reference,
        "minima": [{"point": list(minimum.point), "value": minimum.value} for minimum in surface.minima],
    }


def _format(entry: Format) -> dict[str, Any]:
    """An export format; of: whether it holds a configuration, a trained model or a table of trials."""
    kinds = {TableFormat: "table", ModelFormat: "model"}
    of = kinds.get(type(entry), "configuration")
    return {"name": entry.name, "about": f"{of} ({entry.suffix}): {entry.summary}", "suffix": entry.suffix, "of": of}


def first_line(name: str) -> str:
    """The first sentence of a task's module docstring; for a task of an installed package, its kind."""
    file = sys.modules.get(f"cooldown.objectives.tasks.{name}")
    if file is None:
        return f"A {tasks.get(name).kind} task of an installed package."
    return " ".join((file.__doc__ or "").split()).partition(". ")[0] + "."


def _strategy(strategy: Strategy) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "about": strategy.formula,
        "reference": strategy.reference,
        "hyperparameters": [strategy.declared.to_json()],
    }


def _arm(name: str, known: KnownArm) -> dict[str, Any]:
    """An arm with its presets; ranges as lists."""
    presets = {key: list(value) if isinstance(value, tuple) else value for key, value in known.presets.items()}
    return {"name": name, "about": known.about, "default": name in DEFAULT_ARMS, "presets": presets}
