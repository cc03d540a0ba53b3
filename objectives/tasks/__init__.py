"""The catalog of tasks, one file per built-in task, and functions to create tasks from a user's own data or model.

`names()` lists the tasks, `get(name)` returns one. `from_arrays`, `from_table` and `from_model` create tasks of a
user's own; `resolve` finds a task by what the command line or a spec says. A task loads its data when they are needed.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.objectives.data import resolve as _resolve
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.own_arrays import from_arrays
from cooldown.objectives.data.own_model import ModelTask, from_model
from cooldown.objectives.data.reading.options import AS_WRITTEN, Reading
from cooldown.objectives.data.resolve import Origin
from cooldown.objectives.data.table import from_table
from cooldown.objectives.data.task import Kind, Task

_catalog = Catalog[Task](__name__, __path__, Task, "task", keeps_names=True)
names, get = _catalog.names, _catalog.get


def resolve(
    text: str,
    *,
    target: str | None = None,
    hidden: tuple[int, ...] | None = None,
    test: str | None = None,
    sample_weight: str | None = None,
    kind: Kind | None = None,
    reading: Reading = AS_WRITTEN,
) -> Task:
    """The task that `text` names: a built-in, a data set on OpenML as `openml:NAME`, `openml:NAME@VERSION` or
    `openml:ID`, a CSV or Parquet file's path, or a user's `module:attribute`.

    target: the column to predict, for a file, or for an OpenML data set instead of its default. hidden: widths of
    the MLP's hidden layers instead of the task's. test: the path of a file of test rows, for a task that is a file.
    sample_weight: the column with the rows' weights, for a file or an OpenML data set, which is downloaded on first
    use; kind: "classification" or "regression", for the same. reading: how a file is read where its cells do not
    decide. A module may be in the working folder, which is added to `sys.path`. Raises InputError with the nearest
    match.
    """
    return _resolve.resolve(_catalog, text, target, hidden, test, sample_weight, kind, reading)


def origin(text: str) -> Origin:
    """Where the task recorded as `text` comes from, judged by the text alone; a task created in Python is an
    "object", of which only the name is recorded.
    """
    return _resolve.origin(_catalog, text)


__all__ = [
    "Aim",
    "ArrayTask",
    "Kind",
    "ModelTask",
    "Origin",
    "Reading",
    "Task",
    "from_arrays",
    "from_model",
    "from_table",
    "get",
    "names",
    "origin",
    "resolve",
]
