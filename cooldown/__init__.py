"""Cooldown: hyperparameter and learning-rate-schedule search that answers, with an interval, which optimizer is better.

    from cooldown import compare
    result = compare("digits", arms=["momentum+cosine", "adam"], trials=24)
    print(result.answer)

This is the public interface; each name is loaded when it is first used. The scikit-learn estimators are in
`cooldown.estimators`, the checks for optimizers, schedules, tasks and models of your own in `cooldown.testing`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cooldown.objectives import TrainConfig, descend, optimizers, schedules, surfaces, tasks, train
    from cooldown.objectives.hyperparameters import Categorical, Hyperparameter, Scale
    from cooldown.objectives.optimizers import Optimizer
    from cooldown.objectives.schedules import Schedule
    from cooldown.search import experiments
    from cooldown.search.claims import claim, claims
    from cooldown.search.experiments import Result, compare, dry_run, load, resume, runs, submit, tune
    from cooldown.search.export.model_file import load_model
    from cooldown.search.service.client import Client
    from cooldown.search.spec.sampler import Sampler

_HOMES = {
    "Client": "cooldown.search.service.client",
    "Categorical": "cooldown.objectives.hyperparameters",
    "Hyperparameter": "cooldown.objectives.hyperparameters",
    "Optimizer": "cooldown.objectives.optimizers",
    "Sampler": "cooldown.search.spec.sampler",
    "Scale": "cooldown.objectives.hyperparameters",
    "Schedule": "cooldown.objectives.schedules",
    "TrainConfig": "cooldown.objectives",
    "descend": "cooldown.objectives",
    "optimizers": "cooldown.objectives",
    "schedules": "cooldown.objectives",
    "surfaces": "cooldown.objectives",
    "tasks": "cooldown.objectives",
    "train": "cooldown.objectives",
    "claim": "cooldown.search.claims",
    "claims": "cooldown.search.claims",
    "Result": "cooldown.search.experiments",
    "compare": "cooldown.search.experiments",
    "dry_run": "cooldown.search.experiments",
    "load": "cooldown.search.experiments",
    "load_model": "cooldown.search.export.model_file",
    "resume": "cooldown.search.experiments",
    "runs": "cooldown.search.experiments",
    "submit": "cooldown.search.experiments",
    "tune": "cooldown.search.experiments",
}

__all__ = [
    "Categorical",
    "Client",
    "Hyperparameter",
    "Optimizer",
    "Result",
    "Sampler",
    "Scale",
    "Schedule",
    "TrainConfig",
    "claim",
    "claims",
    "compare",
    "descend",
    "dry_run",
    "experiments",
    "load",
    "load_model",
    "optimizers",
    "resume",
    "runs",
    "schedules",
    "submit",
    "surfaces",
    "tasks",
    "train",
    "tune",
]


_MODULES = {
    "estimators": "cooldown.estimators",
    "experiments": "cooldown.search.experiments",
    "testing": "cooldown.testing",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES})
