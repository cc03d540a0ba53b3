"""The data of an exported program: loaded by the catalog's own code, read with pandas, or only arrays of the user."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.data.table import CSV, separator_of
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.search.export.literals import WIDTH, call, literal
from cooldown.search.export.source import NotPortableError, Source, collect


@dataclass(frozen=True)
class Data:
    """The facts about the data that templates use.

    loads: whether the program's `load_data` loads the task's data. pandas: whether it needs pandas for that. columns:
    whether there are missing cells or categorical columns, which need more preprocessing than scaling.
    """

    loads: bool
    pandas: bool
    columns: bool


def data_of(task: ArrayTask, chosen: Chosen, source: Source) -> Data:
    """Add a function `load_data`, which loads the data of `task`, to `source`."""
    X, _ = task.data
    numbers = [column for column in range(X.shape[1]) if column not in task.categorical]
    columns = bool(task.categorical) or bool(np.isnan(X[:, numbers]).any())
    if columns:
        for constant, places in (("NUMBERS", numbers), ("CATEGORIES", list(task.categorical))):
            text = literal(places)
            fits = len(f"{constant} = {text}") <= WIDTH
            source.constants[constant] = text if fits else literal(places, 0)
    if task.n_test:
        source.constants["N_TEST"] = str(task.n_test)
    name = chosen.spec.task
    if name in tasks.names():
        try:
            collect(source, task.load, "load_data")
            return Data(True, False, columns)
        except NotPortableError:
            pass
    elif tasks.origin(name) == "table" and chosen.spec.target is not None and chosen.given_task is None:
        table, test = Path(name), None if chosen.spec.test is None else Path(chosen.spec.test)
        # Absolute paths: the program may be run from any folder.
        source.constants["TABLE"] = literal(str(table.resolve()))
        if test is not None:
            source.constants["TEST_TABLE"] = literal(str(test.resolve()))
        source.functions["load_data"] = _tables(table, test, chosen.spec.target, bool(task.categorical))
        return Data(True, True, columns)
    which = f", the last {task.n_test} rows for the test" if task.n_test else ""
    source.functions["load_data"] = (
        'def load_data():\n    """This program cannot load the data of the task."""\n'
        f'    raise SystemExit("missing data: run python FILE.py data.npz, with arrays X and y{which}")'
    )
    return Data(False, False, columns)


def _reading(variable: str, constant: str, path: Path) -> str:
    """The statement that reads a table as `cooldown.tasks.from_table` does."""
    before = f"{variable} = "
    if path.suffix.lower() not in CSV:
        return f"{before}pd.read_parquet({constant})"
    separator = f"sep={literal(separator_of(path.read_text('utf-8-sig')))}"
    options = ["skipinitialspace=True", "index_col=False", 'encoding="utf-8-sig"', "low_memory=False"]
    return before + call("pd.read_csv", [constant, separator, *options], 4, before)


def _tables(table: Path, test: Path | None, target: str, coded: bool) -> str:
    """The source of `load_data` for a table, and one of test rows if these are the user's own; coded: whether there are
    categories.
    """
    columns = "table.columns = [str(name).strip() for name in table.columns]"
    kind = "object" if coded else "float"
    categories = [
        "for place in CATEGORIES:",
        "    name = table.columns[place]",
        '    table[name] = table[name].astype(object).map(str, na_action="ignore")',
    ] * coded
    arrays = f"table.to_numpy({kind}, na_value=np.nan), y.to_numpy()"
    if test is None:
        lines = [
            '"""The features (rows, columns) and the target (rows,)."""',
            _reading("table", "TABLE", table),
            columns,
            f"y = table.pop({literal(target)})",
            *categories,
            f"return {arrays}",
        ]
    else:
        each = [columns, f"y = table.pop({literal(target)})", "table = table[first.columns].copy()", *categories]
        lines = [
            '"""The features (rows, columns) and the target (rows,); the last rows are the test rows."""',
            _reading("first", "TABLE", table),
            _reading("test", "TEST_TABLE", test),
            "if len(test) != N_TEST:",
            '    raise SystemExit(f"{TEST_TABLE}: should have the {N_TEST} test rows, got {len(test)}")',
            "parts = []",
            "for table in (first, test):",
            *[f"    {line}" for line in each],
            f"    parts.append(({arrays}))",
            "X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))",
            "return X, y",
        ]
    return "\n".join(["def load_data():", *[f"    {line}" for line in lines]])
