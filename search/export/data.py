"""The data of an exported program: loaded by the catalog's own code, read with pandas, or only arrays of the user."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.data.table import CSV, separator_of
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.search.export.literals import WIDTH, literal
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
    name = chosen.spec.task
    if name in tasks.names():
        try:
            collect(source, task.load, "load_data")
            return Data(True, False, columns)
        except NotPortableError:
            pass
    elif tasks.origin(name) == "table" and chosen.spec.target is not None and chosen.given_task is None:
        # An absolute path: the program may be run from any folder.
        source.constants["TABLE"] = literal(str(Path(name).resolve()))
        source.functions["load_data"] = _table(Path(name), chosen.spec.target, list(task.categorical))
        return Data(True, True, columns)
    source.functions["load_data"] = (
        'def load_data():\n    """This program cannot load the data of the task."""\n'
        '    raise SystemExit("missing data: run python FILE.py data.npz, with arrays X and y")'
    )
    return Data(False, False, columns)


def _table(path: Path, target: str, categorical: list[int]) -> str:
    """The source of `load_data` for a table; it reads the table as `cooldown.tasks.from_table` does."""
    lines = ["def load_data():", '    """The features (rows, columns) and the target (rows,)."""']
    if path.suffix.lower() in CSV:
        separator = separator_of(path.read_text("utf-8-sig"))
        options = f'sep={literal(separator)}, skipinitialspace=True, index_col=False, encoding="utf-8-sig"'
        lines.append(f"    table = pd.read_csv(TABLE, {options}, low_memory=False)")
    else:
        lines.append("    table = pd.read_parquet(TABLE)")
    lines += [
        "    table.columns = [str(name).strip() for name in table.columns]",
        f"    y = table.pop({literal(target)})",
    ]
    if categorical:
        lines += [
            "    for place in CATEGORIES:",
            "        name = table.columns[place]",
            '        table[name] = table[name].astype(object).map(str, na_action="ignore")',
        ]
    kind = "object" if categorical else "float"
    lines.append(f"    return table.to_numpy({kind}, na_value=np.nan), y.to_numpy()")
    return "\n".join(lines)
