"""The catalog of tasks, one file per built-in task, and the ways to make one of one's own data or model.

`names()` lists the built-in tasks, `get(name)` gives one. `from_arrays`, `from_table` and `from_model` make a
task of a user's own; `resolve` reads what a person writes for any of them. Nothing is loaded before a task's
data are needed.
"""

from cooldown.objectives.catalog import Catalog
from cooldown.objectives.data import resolve as _resolve
from cooldown.objectives.data.arrays import ArrayTask, from_arrays
from cooldown.objectives.data.own_model import ModelTask, from_model
from cooldown.objectives.data.resolve import Origin
from cooldown.objectives.data.table import from_table
from cooldown.objectives.data.task import Kind, Task

_catalog = Catalog[Task](__name__, __path__, Task, "task", keeps_names=True)
names, get = _catalog.names, _catalog.get


def resolve(text: str, *, target: str | None = None, hidden: tuple[int, ...] | None = None) -> Task:
    """The task that `text` names: a built-in, a data set on OpenML as `openml:NAME`, `openml:NAME@VERSION` or
    `openml:ID`, a CSV or Parquet file's path, or a user's `module:attribute`.

    target: the column to predict, for a file, or for an OpenML data set in place of its own. hidden: widths of
    the MLP's hidden layers in place of the task's own. A data set is downloaded here, the first time. A module
    is looked for in the working folder too, which is added to `sys.path`. Raises InputError with the nearest
    suggestion.
    """
    return _resolve.resolve(_catalog, text, target, hidden)


def origin(text: str) -> Origin:
    """Where the task that is recorded as `text` comes from, without looking for it; an object of Python has no more
    than a name.
    """
    return _resolve.origin(_catalog, text)


__all__ = [
    "ArrayTask",
    "Kind",
    "ModelTask",
    "Origin",
    "Task",
    "from_arrays",
    "from_model",
    "from_table",
    "get",
    "names",
    "origin",
    "resolve",
]
