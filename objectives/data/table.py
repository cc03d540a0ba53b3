"""`from_table`: a user's CSV, Parquet or Excel file as a task; `table_task`: a table that is read.

The table becomes one matrix of numbers (reading/), in which the rows of a test set of the user's own are the last.
What depends on the cells (medians, scales, categories) is fitted later, on each problem's training rows only.
"""

from collections.abc import Sequence
from functools import partial
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
    classes_of,
    names_of,
)
from cooldown.objectives.data.grouping import Part as Cells
from cooldown.objectives.data.grouping import cells_of, kept_apart
from cooldown.objectives.data.reading import files
from cooldown.objectives.data.reading.options import AS_WRITTEN, Reading
from cooldown.objectives.data.reading.read import Part, Reader
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

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
    decimal: str | None = None,
    missing: str | Sequence[str] = (),
    categories: str | Sequence[str] = (),
    dates: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
) -> ArrayTask:
    """A task from a table: predict the column `target` from all others.

    path: a text file with a header line, separated by commas, semicolons, tabs or pipes (.csv, .tsv, .txt; also
        compressed, as .csv.gz; in UTF-8, or in UTF-16 with its byte order mark), a Parquet file, or an Excel file with
        one sheet (.xlsx; needs openpyxl). name: None for the file's name without its suffix.
    kind, hidden: as for `from_arrays`; None infers the kind from the target. sample_weight: the column with the rows'
        weights, which is then no feature.
    groups: the column that says which rows belong together; training, validation and test rows are of different
        groups. time: the column of each row's time, numbers or dates; the latest rows are the test rows of all repeats,
        the latest of the others the validation rows. Not both. Neither is a feature, unless it is in `categories` or
        `dates` too.
    test: another such file, whose rows are the test rows of every repeat, instead of drawn ones. It has at least 2
        rows, the same columns by name in any order, read as those of the first file, and only labels that the first
        file has; all rows of the first file are then for training and validation.
    decimal, missing, categories, dates, drop: what the cells alone do not decide, as in `Reading`.

    Features may be numbers, strings, booleans and categories, and cells may be missing (empty, "NA", "NaN", "null"
    and the like; among numbers and dates also "?", "-" and "."). Each column of numbers has one notation, by all of its
    cells: decimal mark, groups of thousands, currency, percent or unit. A category gets a column only if at least two
    training rows have it, and a feature at most 50 columns: a column of identifiers does no harm, but has no
    information. Dates are named in `dates`, and become year, month, day of week and elapsed days.
    `columns` of the task tells how each column was read. Raises InputError with file, column and value for anything
    that cannot be used, or that can be read in several ways.
    """
    path = Path(path) if isinstance(path, str) else path
    if not isinstance(path, Path):
        raise InputError(f"from_table(path=...): must be the path of a file, got {type(path).__name__}")
    where = f"from_table({str(path)!r})"
    name = files.name_of(path) if name is None else check_name("from_table", name)
    reading = Reading(decimal, missing, categories, dates, drop)  # type: ignore[arg-type]
    table = files.read_file(path, where, reading, target)
    target, table = used_columns(where, table, target, reading, sample_weight, groups, time)
    tested = None if test is None else _read_test(path, test, reading, table, target)
    return table_task(where, table, target, name, kind, hidden, tested, sample_weight, groups, time, reading)


def used_columns(
    where: str,
    table: "pd.DataFrame",
    target: str | None,
    reading: Reading,
    sample_weight: str | None,
    groups: str | None,
    time: str | None,
) -> tuple[str, "pd.DataFrame"]:
    """The target, and the table without the columns that are left out. Raises InputError without a target, and for
    columns that are named in two ways.
    """
    if target is None:
        names = [column for column in table.columns if column not in reading.drop]
        raise InputError(
            f"{where}: needs the column to predict as target, on the command line --target COLUMN "
            f"(choose from: {', '.join(names)})"
        )
    used = {"target": target, "sample_weight": sample_weight, "groups": groups, "time": time}
    reading.check(where, list(table.columns), used)
    return target, files.without(table, where, reading.drop)


def table_task(
    where: str,
    table: "pd.DataFrame",
    target: str,
    name: str,
    kind: Kind | None,
    hidden: tuple[int, ...] = (32,),
    test: Part | None = None,
    sample_weight: str | None = None,
    groups: Any = None,
    time: Any = None,
    reading: Reading = AS_WRITTEN,
) -> ArrayTask:
    """A task from a table in memory, with unique column names: see `from_table`.

    where: the start of messages. test: a table of test rows, after the start of messages about it. groups, time:
    columns, or arrays of the training rows. reading: its `drop` names columns that are no longer in the tables.
    """
    if target not in table.columns:
        raise InputError(f"{where}: {unknown_name('column', target, table.columns)}")
    if test is not None:
        _check_columns(*test, table, target)
    parts = [(where, table), *([] if test is None else [test])]
    reader = Reader(parts, reading)
    told = [f"{part}: target {target!r}" for part, _ in parts]
    trained, *tested = reader.target(target)
    y, task_kind = check_target(told[0], trained, len(table), kind, drawn_test=test is None)
    classes = classes_of(told[0], trained, len(table)) if task_kind == "classification" else ()
    if reader.columns[-1].kind == "booleans":
        classes = tuple(label == "True" for label in classes)
    for values in tested:
        y = np.concatenate([y, check_test_target(told[1], values, len(values), task_kind, trained)])
    weights = None
    if sample_weight is not None:
        if sample_weight not in table.columns or sample_weight == target:
            choices = [name for name in table.columns if name != target]
            raise InputError(f"{where}: sample_weight: {unknown_name('column', sample_weight, choices)}")
        read = zip(parts, reader.weights(sample_weight), strict=True)
        weights = np.concatenate([_weights(part, values, sample_weight) for (part, _), values in read])
    kept = [_kept(reader, parts, setting, given, target) for setting, given in (("groups", groups), ("time", time))]
    # Columns of groups and times are features only where they are declared as labels or dates too.
    asked = {*reading.categories, *reading.formats(list(table.columns))}
    others = {target, sample_weight, *({given for given in (groups, time) if isinstance(given, str)} - asked)}
    features = _features(where, reader, [name for name in table.columns if name not in others])
    if not any(informative for *_, informative in features.values()):
        raise InputError(
            f"{where}: has no informative column to predict {target!r} from"
            + (f": all strings in {', '.join(map(repr, features))} are different" if features else "")
        )
    reader.left_out(reading.drop)
    X = np.column_stack([values for values, *_ in features.values()])
    coded = np.concatenate([np.full(values.shape[1], coded) for values, coded, _ in features.values()])
    return ArrayTask(
        name,
        task_kind,
        partial(in_memory, X, y),
        hidden,
        categorical=tuple(np.flatnonzero(coded).tolist()),
        classes=classes,
        sample_weight=weights,
        n_test=len(y) - len(table),
        columns=tuple(reader.columns),
        apart=kept_apart(where, y, names_of(classes), *kept),
    )


def _kept(reader: Reader, parts: Sequence[Part], setting: str, given: Any, target: str) -> list[Cells] | None:
    """The cells of the column `given` in each part of the table, or those of an array of the training rows."""
    where, table = parts[0]
    if given is None:
        return None
    if not isinstance(given, str):
        return [cells_of(f"{where}: {setting}", given, len(table))]
    if given not in table.columns or given == target:
        choices = [name for name in table.columns if name != target]
        raise InputError(f"{where}: {setting}: {unknown_name('column', given, choices)}")
    return reader.groups(given) if setting == "groups" else reader.times(given)


def _features(where: str, reader: Reader, names: Sequence[str]) -> dict[str, tuple[NDArray[np.float64], bool, bool]]:
    """What `Reader.feature` returns for each column; InputError that tells of all columns that cannot be read."""
    features, problems = {}, []
    for name in names:
        try:
            features[name] = reader.feature(name)
        except InputError as error:
            problems.append(str(error).removeprefix(f"{where}: "))
    if len(problems) == 1:
        raise InputError(f"{where}: {problems[0]}")
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise InputError("\n  ".join([f"{where}: {len(problems)} columns cannot be read:", *problems[:SHOWN], *more]))
    return features


def _weights(where: str, values: "NDArray[Any]", column: str) -> NDArray[np.float64]:
    """The weights of a table's rows (n,)."""
    weights = check_sample_weight(f"{where}: sample_weight {column!r}", values, len(values))
    assert weights is not None
    return weights


def _read_test(path: Path, test: Any, reading: Reading, table: "pd.DataFrame", target: str) -> Part:
    """The test set of the table in `path`, after the start of messages about it. Columns that are texts in the table
    are texts in the test set.
    """
    where = f"from_table(test={str(test)!r})"
    if not isinstance(test, str | Path):
        raise InputError(f"{where}: must be the path of a CSV or Parquet file, got {type(test).__name__}")
    read = files.read_file(Path(test), where, reading, target, text_columns(table))
    if path.samefile(test):
        raise InputError(f"{where}: is the file of the training rows; test rows must be others")
    return where, files.without(read, where, reading.drop)


def text_columns(table: "pd.DataFrame") -> list[str]:
    """The columns of a table that are texts, which a test set's have to be too."""
    return [name for name in table.columns if table[name].dtype.kind not in "iuf"]


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
