"""`from_table`: a user's CSV or Parquet file as a task; `from_frame`: a table in memory.

The table becomes one matrix of numbers: numeric columns unchanged with NaN for missing cells; string, boolean and
category columns as codes. What depends on the cells (medians, scales, categories) is fitted later, on each problem's
training rows only.
"""

import warnings
from collections import Counter
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.arrays import ArrayTask, in_memory
from cooldown.objectives.data.checks import LARGEST, check_name, check_sample_weight, check_target, labels_of
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

CSV, PARQUET = (".csv", ".tsv"), (".parquet", ".pq")
SUFFIXES = CSV + PARQUET
MANY_CATEGORIES = 50
DATE = r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T].*)?"


def from_table(
    path: str | Path,
    *,
    target: str | None = None,
    name: str | None = None,
    kind: Kind | None = None,
    hidden: tuple[int, ...] = (32,),
    sample_weight: str | None = None,
) -> ArrayTask:
    """A task from a table: predict the column `target` from all others.

    path: a CSV file (UTF-8, with a header line; separated by commas, semicolons or tabs, whichever is most frequent in
        the header) or a Parquet file. name: None for the file's name without its suffix.
    kind, hidden: as for `from_arrays`; None infers the kind from the target. sample_weight: the column with the rows'
        weights, which is then no feature.

    Features may be numbers, strings, booleans and categories, and cells may be missing (empty, "NA", "NaN", "null"
    and the like). A category gets a column only if at least two training rows have it, and a feature at most 50
    columns: a column of identifiers does no harm, but has no information. Dates must be converted to numbers first.
    Raises InputError with file, column and value for anything that cannot be used.
    """
    path = Path(path)
    where = f"from_table({str(path)!r})"
    name = path.stem if name is None else check_name("from_table", name)
    table = _read(path, where)
    if target is None:
        raise InputError(
            f"{where}: needs the column to predict as target, on the command line --target COLUMN "
            f"(choose from: {', '.join(table.columns)})"
        )
    return from_frame(where, table, target, name, kind, hidden, sample_weight)


def from_frame(
    where: str,
    table: "pd.DataFrame",
    target: str,
    name: str,
    kind: Kind | None,
    hidden: tuple[int, ...] = (32,),
    sample_weight: str | None = None,
) -> ArrayTask:
    """A task from a table in memory, with unique column names: see `from_table`. where: the start of messages."""
    if target not in table.columns:
        raise InputError(f"{where}: {unknown_name('column', target, table.columns)}")
    column = f"{where}: target {target!r}"
    given = _target(column, table[target])
    y, task_kind = check_target(column, given, len(table), kind)
    labels = labels_of(column, given, len(table)) if task_kind == "classification" else ()
    weights = None
    if sample_weight is not None:
        if sample_weight not in table.columns or sample_weight == target:
            choices = [name for name in table.columns if name != target]
            raise InputError(f"{where}: sample_weight: {unknown_name('column', sample_weight, choices)}")
        column = f"{where}: sample_weight {sample_weight!r}"
        weights = check_sample_weight(column, _target(column, table[sample_weight]), len(table))
    names = [name for name in table.columns if name not in (target, sample_weight)]
    features = {name: _column(f"{where}: column {name!r}", table[name]) for name in names}
    if not any(informative for *_, informative in features.values()):
        raise InputError(
            f"{where}: has no informative column to predict {target!r} from"
            + (f": all strings in {', '.join(map(repr, features))} are different" if features else "")
        )
    X = np.column_stack([values for values, *_ in features.values()])
    categorical = tuple(index for index, (_, coded, _) in enumerate(features.values()) if coded)
    data = partial(in_memory, X, y)
    return ArrayTask(name, task_kind, data, hidden, categorical=categorical, labels=labels, sample_weight=weights)


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


def _column(where: str, column: "pd.Series[Any]") -> tuple[NDArray[np.float64], bool, bool]:
    """One column as numbers (n,), whether these are codes of categories, and whether the column is informative.

    A missing cell is NaN. The codes are the positions of the strings in alphabetical order.
    """
    import pandas as pd

    if column.isna().all():
        raise InputError(f"{where}: is empty in all {len(column)} rows: drop it")
    if not is_numeric(where, column):
        texts = _texts(where, column)
        codes, categories = pd.factorize(texts, sort=True)
        coded = np.where(codes < 0, np.nan, codes).astype(np.float64)
        return coded, True, len(categories) < texts.notna().sum() or bool(texts.isna().any())
    values = _numbers(column)
    bad = ~(np.abs(values) <= LARGEST) & ~np.isnan(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{where}: must be finite numbers up to {LARGEST:g}, got {values[row]} in row {row + 1} "
            f"(the first row is 1; {bad.sum()} such cells)"
        )
    return values, False, True


def _target(where: str, column: "pd.Series[Any]") -> "NDArray[Any]":
    """The target as an array of numbers or strings, with NaN for a missing cell."""
    if column.isna().all():
        raise InputError(f"{where}: is empty in all {len(column)} rows")
    if is_numeric(where, column):
        whole = column.dtype.kind in "iu" and not column.isna().any()
        return np.asarray(column.astype(np.int64) if whole else _numbers(column))
    return _texts(where, column).to_numpy(object)


def is_numeric(where: str, column: "pd.Series[Any]") -> bool:
    """Whether the column holds numbers rather than categories; InputError for dates and lists."""
    from pandas.api.types import infer_dtype

    inferred = infer_dtype(column, skipna=True)
    if inferred in ("integer", "floating", "mixed-integer-float", "decimal"):
        return True
    if inferred in ("string", "boolean", "categorical"):
        return False
    if inferred.startswith(("date", "time", "period", "interval")):
        raise InputError(f"{where}: holds dates or times: convert them to numbers, such as days, or drop it")
    raise InputError(f"{where}: must hold numbers, strings or booleans, got {inferred} values")


def _numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    return column.to_numpy(np.float64, na_value=np.nan)


def _texts(where: str, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells as strings, or NaN if missing.

    InputError for dates, and for a column of numbers with a few other strings; a column declared categorical is
    accepted as it is.
    """
    import pandas as pd

    cells = column.astype(object).map(str, na_action="ignore")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return cells
    texts = cells.dropna()
    if texts.str.fullmatch(DATE).all():
        raise InputError(
            f"{where}: holds dates such as {texts.iloc[0]!r}: convert them to numbers, such as days, or drop it"
        )
    if texts.nunique() > MANY_CATEGORIES:
        stray = (pd.to_numeric(cells, errors="coerce").isna() & cells.notna()).to_numpy()
        if stray.sum() < len(texts) / 2:
            row = int(np.argmax(stray))
            raise InputError(
                f"{where}: holds numbers except in {stray.sum()} cells, the first {cells.iloc[row]!r} in row "
                f"{row + 1} (the first row is 1): correct them, or leave missing cells empty"
            )
    return cells
