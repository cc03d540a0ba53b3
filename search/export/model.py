"""The model of a configuration: trained on all rows of its task, with what a file says of it."""

from platform import python_version
from typing import Any

from sklearn.pipeline import Pipeline

from cooldown.objectives.config import SCHEMA
from cooldown.objectives.data.fitted import READ
from cooldown.objectives.errors import InputError
from cooldown.objectives.quiet import collected
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.storage.environment import versions_of

PACKAGES = ("cooldown", "joblib", "numpy", "pandas", "scikit-learn", "scipy")
"""Packages that a model consists of, or that read its rows."""


def versions() -> dict[str, str]:
    """The versions of Python and of the packages on which loading a model depends."""
    known = {package: version for package, version in versions_of(PACKAGES).items() if version is not None}
    return {"python": python_version(), **known}


def trained(chosen: Chosen, n_seeds: int) -> tuple[Pipeline, tuple[str, ...]]:
    """The pipeline of a task of a table or of arrays, and remarks on its training.

    Raises InputError for another task, and if all of the `n_seeds` networks diverge.
    """
    if not isinstance(chosen.task, ArrayTask):
        raise InputError(
            f"task {chosen.task.name!r} has a model of its own, and files are for those of tables and arrays: in "
            "Python, result.fit_best() returns it, and its own library saves it, as torch.save(model.state_dict(), "
            "FILE) or model.save(FILE)"
        )
    with collected(UserWarning) as warnings:
        model: Pipeline = chosen.fitted(n_seeds)
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
