"""`from_table`: a user's CSV or Parquet file as a task; `table_task`: a table that is read.

The table becomes one matrix of numbers (columns.py), in which the rows of a test set of the user's own are the last.
What depends on the cells (medians, scales, categories) is fitted later, on each problem's training rows only.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.arrays import ArrayTask, in_memory
from cooldown.objectives.data.checks import (
    check_name,
    check_sample_weight,
    check_target,
    check_test_target,
    labels_of,
)
from cooldown.objectives.data.columns import feature, target_values
from cooldown.objectives.data.grouping import Part, cells_of, kept_apart
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = (".csv", ".tsv"), (".parquet", ".pq")
SUFFIXES = CSV + PARQUET
SHOWN = 5
"""Columns that a message names at most."""


def from_table(
    path: str | Path,
    *,
    target: str | None = None,
    name: str | None = None,
    kind: Kind | None = None,
    hidden: tuple[int, ...] = (32,),
    test: str | Path | None = None,
    sample_weight: str | None = None,
    groups: str | None = None,
    time: str | None = None,
) -> ArrayTask:
    """A task from a table: predict the column `target` from all others.

    path: a CSV file (UTF-8, with a header line; separated by commas, semicolons or tabs, whichever is most frequent in
        the header) or a Parquet file. name: None for the file's name without its suffix.
    kind, hidden: as for `from_arrays`; None infers the kind from the target. sample_weight: the column with the rows'
        weights, which is then no feature.
    groups: the column that says which rows belong together; training, validation and test rows are of different
        groups. time: the column of each row's time, numbers or dates; the latest rows are the test rows of all repeats,
        the latest of the others the validation rows. Neither is a feature; not both.
    test: another such file, whose rows are the test rows of every repeat, instead of drawn ones. It has at least 2
        rows, the same columns by name in any order, each of the same kind, and only labels that the first file has;
        all rows of the first file are then for training and validation.

    Features may be numbers, strings, booleans and categories, and cells may be missing (empty, "NA", "NaN", "null"
    and the like). A category gets a column only if at least two training rows have it, and a feature at most 50
    columns: a column of identifiers does no harm, but has no information. Dates must be converted to numbers first.
    Raises InputError with file, column and value for anything that cannot be used.
    """
    path = Path(path)
    where = f"from_table({str(path)!r})"
    name = path.stem if name is None else check_name("from_table", name)
    table = _read(path, where)
    tested = None if test is None else _read_test(path, test)
    if target is None:
        raise InputError(
            f"{where}: needs the column to predict as target, on the command line --target COLUMN "
            f"(choose from: {', '.join(table.columns)})"
        )
    return table_task(where, table, target, name, kind, hidden, tested, sample_weight, groups, time)


def table_task(
    where: str,
    table: "pd.DataFrame",
    target: str,
    name: str,
    kind: Kind | None,
    hidden: tuple[int, ...] = (32,),
    test: "tuple[str, pd.DataFrame] | None" = None,
    sample_weight: str | None = None,
    groups: Any = None,
    time: Any = None,
) -> ArrayTask:
    """A task from a table in memory, with unique column names: see `from_table`.

    where: the start of messages. test: a table of test rows, after the start of messages about it. groups, time:
    columns, or arrays of the training rows.
    """
    if target not in table.columns:
        raise InputError(f"{where}: {unknown_name('column', target, table.columns)}")
    if test is not None:
        _check_columns(*test, table, target)
    parts = [(where, table), *([] if test is None else [test])]
    targets = [(f"{where}: target {target!r}", part[target]) for where, part in parts]
    trained = target_values(targets[0])
    y, task_kind = check_target(targets[0][0], trained, len(table), kind, drawn_test=test is None)
    labels = labels_of(targets[0][0], trained, len(table)) if task_kind == "classification" else ()
    for of_test in targets[1:]:
        values = target_values(of_test, like=targets[0][1])
        y = np.concatenate([y, check_test_target(of_test[0], values, len(values), task_kind, trained)])
    weights = None
    if sample_weight is not None:
        if sample_weight not in table.columns or sample_weight == target:
            choices = [name for name in table.columns if name != target]
            raise InputError(f"{where}: sample_weight: {unknown_name('column', sample_weight, choices)}")
        weights = np.concatenate([_weights(*part, sample_weight) for part in parts])
    kept = [_cells(parts, setting, given, target) for setting, given in (("groups", groups), ("time", time))]
    others = (target, sample_weight, *(given for given in (groups, time) if isinstance(given, str)))
    names = [name for name in table.columns if name not in others]
    features = {name: feature([(f"{where}: column {name!r}", part[name]) for where, part in parts]) for name in names}
    if not any(informative for *_, informative in features.values()):
        raise InputError(
            f"{where}: has no informative column to predict {target!r} from"
            + (f": all strings in {', '.join(map(repr, features))} are different" if features else "")
        )
    X = np.column_stack([values for values, *_ in features.values()])
    categorical = tuple(index for index, (_, coded, _) in enumerate(features.values()) if coded)
    return ArrayTask(
        name,
        task_kind,
        partial(in_memory, X, y),
        hidden,
        categorical=categorical,
        labels=labels,
        sample_weight=weights,
        n_test=len(y) - len(table),
        apart=kept_apart(where, y, labels, *kept),
    )


def _cells(parts: "Sequence[tuple[str, pd.DataFrame]]", setting: str, given: Any, target: str) -> list[Part] | None:
    """The cells of the column `given` in each part of the table, or those of an array of the training rows."""
    where, table = parts[0]
    if given is None:
        return None
    if not isinstance(given, str):
        return [cells_of(f"{where}: {setting}", given, len(table))]
    if given not in table.columns or given == target:
        choices = [name for name in table.columns if name != target]
        raise InputError(f"{where}: {setting}: {unknown_name('column', given, choices)}")
    return [(f"{told}: {setting} {given!r}", part[given].reset_index(drop=True)) for told, part in parts]


def _weights(where: str, table: "pd.DataFrame", column: str) -> NDArray[np.float64]:
    """The weights of a table's rows (n,)."""
    told = f"{where}: sample_weight {column!r}"
    weights = check_sample_weight(told, target_values((told, table[column])), len(table))
    assert weights is not None
    return weights


def _read_test(path: Path, test: Any) -> "tuple[str, pd.DataFrame]":
    """The test set of the table in `path`, after the start of messages about it."""
    where = f"from_table(test={str(test)!r})"
    if not isinstance(test, str | Path):
        raise InputError(f"{where}: must be the path of a CSV or Parquet file, got {type(test).__name__}")
    table = _read(Path(test), where)
    if path.samefile(test):
        raise InputError(f"{where}: is the file of the training rows; test rows must be others")
    return where, table


def _check_columns(where: str, test: "pd.DataFrame", table: "pd.DataFrame", target: str) -> None:
    """Raise InputError unless the test set has the columns of the training rows, in any order."""
    missing, others = table.columns.difference(test.columns), test.columns.difference(table.columns)
    told = [
        *([f"no target column {target!r}"] if target in missing else []),
        *[f"no column {name!r}" for name in missing if name != target],
        *[f"column {name!r}, which they have not" for name in others],
    ]
    if told:
        more = f" ({len(told) - SHOWN} more)" if len(told) > SHOWN else ""
        raise InputError(
            f"{where}: must have the columns of the training rows, but has {', '.join(told[:SHOWN])}{more}"
        )


def _read(path: Path, where: str) -> "pd.DataFrame":
    """The file as a table with unique column names and at least one row."""
    import pandas as pd

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{where}: the file name of a table must end in {', '.join(SUFFIXES)}, got {suffix!r}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{where}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{where}: cannot be read: {getattr(error, 'strerror', error)}") from None
    if not content.strip():
        raise InputError(f"{where}: is empty")
    if suffix in PARQUET:
        try:
            table = pd.read_parquet(BytesIO(content))
        except (OSError, ValueError) as error:  # pyarrow's errors are subclasses of these
            raise InputError(f"{where}: is not a Parquet file: {str(error).splitlines()[0]}") from None
        table = table.reset_index(drop=True).set_axis(table.columns.map(str), axis=1)
        header = list(table.columns)
    else:
        header, table = _read_csv(content, where)
    duplicates = [name for name, count in Counter(header).items() if count > 1]
    if duplicates:
        name = duplicates[0]
        raise InputError(f"{where}: column {name!r} is {header.count(name)} times in the header: rename or drop one")
    if "" in header:
        raise InputError(f"{where}: column {header.index('') + 1} has no name (a saved index?): name or drop it")
    if table.empty:
        raise InputError(f"{where}: has a header but no rows")
    return table


def _read_csv(content: bytes, where: str) -> tuple[list[str], "pd.DataFrame"]:
    """The names in the header, as written, and the table."""
    import pandas as pd

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not text in UTF-8: byte {error.start} is 0x{content[error.start]:02x}") from None
    if "\0" in text:
        raise InputError(f"{where}: is not text: character {text.index(chr(0))} is NUL")
    separator = separator_of(text)
    try:
        with warnings.catch_warnings():
            # Pandas only warns if it cuts off cells.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
            header = pd.read_csv(StringIO(text), header=None, nrows=1, dtype=str, na_filter=False, **options)
            table = pd.read_csv(StringIO(text), index_col=False, low_memory=False, **options)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{where}: is not a CSV file: {str(error).strip()}") from None
    names = [str(cell).strip() for cell in header.iloc[0]]
    return names, table.set_axis(names, axis=1)


def separator_of(text: str) -> str:
    """The separator of a CSV file: comma, semicolon or tab, whichever is most frequent in its header."""
    return max(",;\t", key=text.lstrip().partition("\n")[0].count)
