"""The catalog of tasks, one file per built-in task, and functions to create tasks from a user's own data or model.

`names()` lists the tasks, `get(name)` returns one. `from_arrays`, `from_frame`, `from_table`, `from_svmlight`,
`from_model`, `from_torch`, `from_jax`, `from_keras` and `from_loop` create tasks of a user's own; `resolve` finds a
task by what the command line or a spec says, `given` by what a user of Python says. A task loads its data when they are
needed.
"""

from dataclasses import fields
from os import PathLike, fspath
from typing import Any

from cooldown.objectives.catalog import Catalog
from cooldown.objectives.data import resolve as _resolve
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.frames import from_frame
from cooldown.objectives.data.own_arrays import from_arrays
from cooldown.objectives.data.own_jax import from_jax
from cooldown.objectives.data.own_keras import from_keras
from cooldown.objectives.data.own_loop import LoopTask, from_loop
from cooldown.objectives.data.own_model import ModelTask, from_model
from cooldown.objectives.data.own_torch import from_torch
from cooldown.objectives.data.reading.in_memory import is_frame
from cooldown.objectives.data.reading.options import AS_WRITTEN, Reading
from cooldown.objectives.data.resolve import Origin
from cooldown.objectives.data.svmlight import from_svmlight
from cooldown.objectives.data.table import from_table
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.errors import InputError

_catalog = Catalog[Task](__name__, __path__, Task, "task", keeps_names=True)
names, get = _catalog.names, _catalog.get


def resolve(
    text: str,
    *,
    target: str | None = None,
    hidden: tuple[int, ...] | None = None,
    test: str | None = None,
    sample_weight: str | None = None,
    groups: str | None = None,
    time: str | None = None,
    kind: Kind | None = None,
    reading: Reading = AS_WRITTEN,
    uploads: _resolve.Content | None = None,
) -> Task:
    """The task that `text` names: a built-in, a data set on OpenML as `openml:NAME`, `openml:NAME@VERSION` or
    `openml:ID`, the path of a CSV, Parquet or svmlight file, a user's `module:attribute`, or a file that was uploaded
    to a ledger as `dataset:DIGEST`.

    target: the column to predict, for a file, or for an OpenML data set instead of its default. hidden: widths of
    the MLP's hidden layers instead of the task's. test: the path of a file of test rows, for a task that is a file;
    dataset:DIGEST for one that was uploaded.
    sample_weight: the column with the rows' weights, for a file or an OpenML data set, which is downloaded on first
    use; groups, time: the columns across which nothing is split, and kind: "classification" or "regression", for the
    same. reading: how a file is read where its cells do not decide. uploads: from a digest to the content of an
    uploaded file; None where there are none. A module may be in the working folder, which is added to `sys.path`.
    Raises InputError with the nearest match.
    """
    return _resolve.resolve(_catalog, text, target, hidden, test, sample_weight, groups, time, kind, reading, uploads)


def given(task: Any, **settings: Any) -> Task:
    """The task that a user of Python means: a Task itself, or the name of one, the path of a file or a table in memory,
    with the `settings` of `resolve` or of `from_frame`, and those of a `Reading` by their names.

    Raises InputError for anything else, and for settings beside a Task, which has its own.
    """
    settings = {name: value for name, value in settings.items() if value is not None}
    if isinstance(task, str | PathLike):
        read = {field.name: settings.pop(field.name) for field in fields(Reading) if field.name in settings}
        return resolve(fspath(task), reading=Reading(**read), **settings)
    if not isinstance(task, Task):
        return from_frame(task, **settings)
    if settings:
        raise InputError(f"{next(iter(settings))}: is for a table; {task.name!r} is a Task object")
    return task


def origin(text: str) -> Origin:
    """Where the task recorded as `text` comes from, judged by the text alone; a task created in Python is an
    "object", of which only the name is recorded.
    """
    return _resolve.origin(_catalog, text)


__all__ = [
    "Aim",
    "ArrayTask",
    "Kind",
    "LoopTask",
    "ModelTask",
    "Origin",
    "Reading",
    "Task",
    "from_arrays",
    "from_frame",
    "from_jax",
    "from_keras",
    "from_loop",
    "from_model",
    "from_svmlight",
    "from_table",
    "from_torch",
    "get",
    "given",
    "is_frame",
    "names",
    "origin",
    "resolve",
]
