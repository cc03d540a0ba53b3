"""`from_frame`: a table in memory as a task, of pandas, Polars, PyArrow and other libraries that Narwhals knows."""

from collections.abc import Sequence
from typing import Any

from cooldown.objectives.data.arrays import ArrayTask
from cooldown.objectives.data.checks import check_name
from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.in_memory import as_pandas
from cooldown.objectives.data.reading.options import Reading
from cooldown.objectives.data.table import table_task
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError


def from_frame(
    frame: Any,
    *,
    target: str | None = None,
    name: str = "frame",
    kind: Kind | None = None,
    hidden: tuple[int, ...] = (32,),
    test: Any = None,
    sample_weight: str | None = None,
    groups: Any = None,
    time: Any = None,
    decimal: str | None = None,
    missing: str | Sequence[str] = (),
    categories: str | Sequence[str] = (),
    dates: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
) -> ArrayTask:
    """A task from a table in memory: predict the column `target` from all others.

    frame: a DataFrame of pandas or Polars, a PyArrow table, or another that Narwhals reads; its index is not used. Its
        columns are read as those of a file (`from_table`), by name; names become strings.
    test: another such table, of the test rows of every repeat. sample_weight: the column with the rows' weights.
    groups, time: as for `from_table`, a column, which is then no feature, or an array (n,), beside which all columns
        are features. name: the task's name. kind, hidden: as for `from_arrays`. The others
        are those of `from_table`.

    Raises InputError for anything that is not a table, and with column and value for anything that cannot be used.
    """
    where = check_name("from_frame", name)
    table = as_pandas("from_frame(frame=...)", frame)
    if target is None:
        raise InputError(f"{where}: needs the column to predict as target (choose from: {', '.join(table.columns)})")
    reading = Reading(decimal, missing, categories, dates, drop)  # type: ignore[arg-type]
    used = {"target": target, "sample_weight": sample_weight}
    used |= {name: given for name, given in (("groups", groups), ("time", time)) if isinstance(given, str)}
    reading.check(where, list(table.columns), used)
    table = files.without(table, where, reading.drop)
    told = "from_frame(test=...)"
    tested = None if test is None else (told, files.without(as_pandas(told, test), told, reading.drop))
    return table_task(where, table, target, name, kind, hidden, tested, sample_weight, groups, time, reading)
