"""The model of a configuration: trained on all rows of its task, with what a file says of it."""

from importlib.metadata import version
from platform import python_version
from typing import Any

from sklearn.pipeline import Pipeline

from cooldown.objectives.config import SCHEMA
from cooldown.objectives.data.fitted import READ
from cooldown.objectives.errors import InputError
from cooldown.objectives.quiet import collected
from cooldown.search.export.format import Chosen

PACKAGES = ("cooldown", "joblib", "numpy", "pandas", "scikit-learn", "scipy")
"""Packages that a model consists of, or that read its rows."""


def versions() -> dict[str, str]:
    """The versions of Python and of the packages on which loading a model depends."""
    return {"python": python_version(), **{package: version(package) for package in PACKAGES}}


def trained(chosen: Chosen, n_seeds: int) -> tuple[Pipeline, tuple[str, ...]]:
    """The pipeline of a task that is no model of one's own, and remarks on its training.

    Raises InputError for another task, and if all of the `n_seeds` networks diverge.
    """
    with collected(UserWarning) as warnings:
        model = chosen.fitted(n_seeds)
    if not isinstance(model, Pipeline):
        raise InputError(
            f"task {chosen.task.name!r} is no table and no arrays, of which a model file holds the pipeline: "
            f"result.fit_best() returns its {type(model).__name__}, which its own library saves"
        )
    remarks = list(warnings)
    if chosen.config.reacts:
        remarks.append(
            "the run depends on its held-out loss: it watched a fifth of the rows, and trained on the others"
        )
    if chosen.config.reacts and chosen.spec.aim.objective is not None:
        remarks.append(f"it watched the training loss of these rows, not {chosen.spec.aim.objective}")
    return model, tuple(remarks)


def about(chosen: Chosen, model: Pipeline, n_seeds: int) -> dict[str, Any]:
    """What a file says of its model, JSON-ready; docs/models.md describes the fields."""
    columns = model.named_steps[READ].columns if READ in model.named_steps else ()
    return {
        "schema": SCHEMA,
        "experiment": {"name": chosen.record.name, "fingerprint": chosen.view.fingerprint},
        "task": {"name": chosen.spec.task, "kind": chosen.task.kind, "fingerprint": chosen.record.task_fingerprint},
        "columns": [column.to_json() for column in columns if column.role in ("feature", "target")],
        "arm": chosen.study.arm,
        "repeat": chosen.study.repeat,
        "trial": chosen.trial.number,
        "config": chosen.config.to_json(),
        "n_seeds": n_seeds,
        "versions": versions(),
    }
