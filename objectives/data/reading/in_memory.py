"""A table in memory, of pandas, Polars, PyArrow and other libraries that Narwhals knows, as one of pandas."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def is_frame(value: Any) -> bool:
    """Whether `value` is a table in memory."""
    import narwhals as nw

    # Narwhals refuses those of pandas with duplicate names; `as_pandas` says which.
    return nw.dependencies.is_pandas_dataframe(value) or isinstance(
        nw.from_native(value, eager_only=True, pass_through=True), nw.DataFrame
    )


def as_pandas(where: str, frame: Any) -> "pd.DataFrame":
    """A table in memory as one of pandas with unique names and at least one row; InputError for anything else."""
    import narwhals as nw

    if not is_frame(frame):
        raise InputError(f"{where}: must be a DataFrame, as of pandas or Polars, got {type(frame).__name__}")
    of_pandas = nw.dependencies.is_pandas_dataframe(frame)
    table: pd.DataFrame = frame if of_pandas else nw.from_native(frame, eager_only=True).to_pandas()
    if table.columns.nlevels > 1:
        raise InputError(f"{where}: must have one name per column, got {table.columns.nlevels} levels of names")
    names = [str(column) for column in table.columns]
    if duplicates := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{where}: column {duplicates[0]!r} is there {names.count(duplicates[0])} times: rename one")
    if table.empty:
        raise InputError(f"{where}: has no rows or no columns")
    return table.set_axis(names, axis=1).reset_index(drop=True)
