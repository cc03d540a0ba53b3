"""`from_table`: a user's CSV or Parquet file as a task; `from_frame`: any table, once it is in memory.

The table becomes one matrix of numbers: numeric columns as they are with NaN for missing cells, text, truth
and category columns as codes. What is learned from the cells (medians, scales, which categories there are) is
fitted later, on each problem's training rows only.
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
from cooldown.objectives.data.arrays import ArrayTask, given
from cooldown.objectives.data.checks import LARGEST, check_name, check_target
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
) -> ArrayTask:
    """A task of a table: predict the column `target` from all others.

    path: a CSV file (UTF-8, a header line; separated by commas, semicolons or tabs, whichever the header has
        most of) or a Parquet file. name: the file's name without its suffix where it is None.
    kind, hidden: as for `from_arrays`; the kind is inferred from the target where it is None.

    Features may be numbers, texts, truth values and categories, and cells may be missing (empty, "NA", "NaN",
    "null" and the like). A category that only one training row has is not worth a column, and no column gets
    more than 50: so a column of identifiers does no harm, but tells nothing. Dates have to be made numbers
    first. Raises InputError, naming file, column and value, for anything that cannot be used.
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
    return from_frame(where, table, target, name, kind, hidden)


def from_frame(
    where: str, table: "pd.DataFrame", target: str, name: str, kind: Kind | None, hidden: tuple[int, ...] = (32,)
) -> ArrayTask:
    """A task of a table in memory, with unique column names: see `from_table`. where: what messages begin with."""
    if target not in table.columns:
        raise InputError(f"{where}: {unknown_name('column', target, table.columns)}")
    column = f"{where}: target {target!r}"
    y, found = check_target(column, _target(column, table[target]), len(table), kind)
    features = {each: _column(f"{where}: column {each!r}", table[each]) for each in table.columns if each != target}
    if not any(informative for *_, informative in features.values()):
        raise InputError(
            f"{where}: has no column to predict {target!r} from"
            + (f": all texts in {', '.join(map(repr, features))} differ" if features else "")
        )
    X = np.column_stack([values for values, *_ in features.values()])
    categorical = tuple(i for i, (_, coded, _) in enumerate(features.values()) if coded)
    return ArrayTask(name, found, partial(given, X, y), hidden, categorical=categorical)


def _read(path: Path, where: str) -> "pd.DataFrame":
    """The file as a table with unique column names and at least one row."""
    import pandas as pd

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{where}: a table is a file that ends in {', '.join(SUFFIXES)}, not in {suffix!r}")
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
    twice = [each for each, count in Counter(header).items() if count > 1]
    if twice:
        raise InputError(f"{where}: column {twice[0]!r} stands {header.count(twice[0])} times in the header")
    if "" in header:
        raise InputError(f"{where}: column {header.index('') + 1} has no name (a saved index?): name it or drop it")
    if table.empty:
        raise InputError(f"{where}: has a header but no rows")
    return table


def _read_csv(content: bytes, where: str) -> tuple[list[str], "pd.DataFrame"]:
    """The names in the header, as they are written, and the table."""
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
            # Pandas only warns where it would cut cells off.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            options: dict[str, Any] = {"sep": separator, "skipinitialspace": True}
            header = pd.read_csv(StringIO(text), header=None, nrows=1, dtype=str, na_filter=False, **options)
            table = pd.read_csv(StringIO(text), index_col=False, low_memory=False, **options)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise InputError(f"{where}: is not a CSV file: {str(error).strip()}") from None
    names = [str(each).strip() for each in header.iloc[0]]
    return names, table.set_axis(names, axis=1)


def separator_of(text: str) -> str:
    """What separates the columns of a CSV file: a comma, a semicolon or a tab, whichever its header has most of."""
    return max(",;\t", key=text.lstrip().partition("\n")[0].count)


def _column(where: str, column: "pd.Series[Any]") -> tuple[NDArray[np.float64], bool, bool]:
    """One column as numbers (n,), whether these are codes of categories, and whether it can tell anything.

    A missing cell is NaN. The codes are the places of the texts in their alphabetical order.
    """
    import pandas as pd

    if column.isna().all():
        raise InputError(f"{where}: is missing in all {len(column)} rows: drop it")
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
            f"(the first row is 1; {bad.sum()} such in all)"
        )
    return values, False, True


def _target(where: str, column: "pd.Series[Any]") -> "NDArray[Any]":
    """The target as an array of numbers or texts, with NaN for a missing cell."""
    if column.isna().all():
        raise InputError(f"{where}: is missing in all {len(column)} rows")
    if is_numeric(where, column):
        whole = column.dtype.kind in "iu" and not column.isna().any()
        return np.asarray(column.astype(np.int64) if whole else _numbers(column))
    return _texts(where, column).to_numpy(object)


def is_numeric(where: str, column: "pd.Series[Any]") -> bool:
    """Whether the column holds numbers rather than categories; InputError for dates and lists."""
    from pandas.api.types import infer_dtype

    found = infer_dtype(column, skipna=True)
    if found in ("integer", "floating", "mixed-integer-float", "decimal"):
        return True
    if found in ("string", "boolean", "categorical"):
        return False
    if found.startswith(("date", "time", "period", "interval")):
        raise InputError(f"{where}: holds dates or times: make them numbers, such as days since the first, or drop it")
    raise InputError(f"{where}: holds {found} values; wanted numbers, texts or truth values")


def _numbers(column: "pd.Series[Any]") -> NDArray[np.float64]:
    return column.to_numpy(np.float64, na_value=np.nan)


def _texts(where: str, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells as texts, or NaN where missing.

    InputError for dates, and for a column of numbers that a few stray texts have made one of texts; a column
    that was declared one of categories is taken at its word.
    """
    import pandas as pd

    cells = column.astype(object).map(str, na_action="ignore")
    if isinstance(column.dtype, pd.CategoricalDtype):
        return cells
    texts = cells.dropna()
    if texts.str.fullmatch(DATE).all():
        raise InputError(
            f"{where}: holds dates such as {texts.iloc[0]!r}: "
            f"make them numbers, such as days since the first, or drop it"
        )
    if texts.nunique() > MANY_CATEGORIES:
        stray = (pd.to_numeric(cells, errors="coerce").isna() & cells.notna()).to_numpy()
        if stray.sum() < len(texts) / 2:
            row = int(np.argmax(stray))
            raise InputError(
                f"{where}: holds numbers but for {stray.sum()} cells, the first {cells.iloc[row]!r} in row "
                f"{row + 1} (the first row is 1): correct them, or leave missing cells empty"
            )
    return cells
