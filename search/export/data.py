"""The data of an exported program: loaded by the catalog's own code, read with pandas, or only arrays of the user."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.search.export.literals import assigned
from cooldown.search.export.source import NotPortableError, Source, collect
from cooldown.search.export.tables import load_table


@dataclass(frozen=True)
class Data:
    """The facts about the data that templates use.

    loads: whether the program's `load_data` loads the task's data. pandas: whether it needs pandas for that. columns:
    whether there are missing cells or categorical columns, which need more preprocessing than scaling. numbers,
    categories: whether there are such columns.
    """

    loads: bool
    pandas: bool
    columns: bool
    numbers: bool
    categories: bool


def data_of(task: ArrayTask, chosen: Chosen, source: Source) -> Data:
    """Add a function `load_data`, which loads the data of `task`, to `source`."""
    X, _ = task.data
    numbers = [column for column in range(X.shape[1]) if column not in task.categorical]
    columns = bool(task.categorical) or bool(np.isnan(X[:, numbers]).any())
    kinds = columns, bool(numbers), bool(task.categorical)
    if columns:
        source.constants["NUMBERS"] = assigned("NUMBERS", numbers)
        source.constants["CATEGORIES"] = assigned("CATEGORIES", list(task.categorical))
    if task.n_test:
        source.constants["N_TEST"] = str(task.n_test)
    name = chosen.spec.task
    if name in tasks.names():
        try:
            collect(source, task.load, "load_data")
            return Data(True, False, *kinds)
        except NotPortableError:
            pass
    elif tasks.origin(name) == "table" and chosen.spec.target is not None and chosen.given_task is None:
        table, test = Path(name), None if chosen.spec.test is None else Path(chosen.spec.test)
        load_table(source, task, table, test)
        return Data(True, True, *kinds)
    which = f", the last {task.n_test} rows for the test" if task.n_test else ""
    source.functions["load_data"] = (
        'def load_data():\n    """This program cannot load the data of the task."""\n'
        f'    raise SystemExit("missing data: run python FILE.py data.npz, with arrays X and y{which}")'
    )
    return Data(False, False, *kinds)
