"""The columns of a table as numbers: numeric ones unchanged, with NaN for a missing cell; categories as codes.

A table may have two parts, the training rows and a test set of the user's own. The parts have the same columns, each of
the same kind in both, and are coded together. What a column is, is decided by the training rows alone.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.checks import LARGEST
from cooldown.objectives.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MANY_CATEGORIES = 50
DATE = r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T].*)?"

Part = tuple[str, "pd.Series[Any]"]
"""The cells of a column in one part of the table, after the start of messages about them."""


def feature(parts: Sequence[Part]) -> tuple[NDArray[np.float64], bool, bool]:
    """A column as numbers (n,), whether these are codes of categories, and whether the column is informative.

    parts: the training rows, and after them the test rows if these are the user's own; n is the number of all rows. A
    missing cell is NaN. The codes are the positions of the strings in alphabetical order.
    """
    import pandas as pd

    where, training = parts[0]
    if training.isna().all():
        raise InputError(f"{where}: is empty in all {len(training)} rows: drop it")
    numeric = is_numeric(where, training)
    for where_test, cells in parts[1:]:
        _check_kind(where_test, cells, numeric)
    if numeric:
        return np.concatenate([_finite(*part) for part in parts]), False, True
    texts = [_texts(*part) for part in parts]
    codes, _ = pd.factorize(np.concatenate([part.to_numpy(object) for part in texts]), sort=True)
    known = texts[0].dropna()
    informative = known.nunique() < len(known) or len(known) < len(texts[0])
    return np.where(codes < 0, np.nan, codes).astype(np.float64), True, informative


def _check_kind(where: str, column: "pd.Series[Any]", numeric: bool) -> None:
    """Raise InputError if a column of the test set is not of the kind that it is in the training rows, or empty."""
    import pandas as pd

    if column.isna().all() or is_numeric(where, column) == numeric:
        return
    cells, filled = column.astype(object), column.notna().to_numpy()
    stray = filled & pd.to_numeric(cells, errors="coerce").isna().to_numpy() if numeric else filled
    row = int(np.argmax(stray if stray.any() else filled))
    kinds = ("numbers", "strings or booleans")
    raise InputError(
        f"{where}: must hold {kinds[not numeric]} as in the training rows, got {cells.iloc[row]!r} in row {row + 1} "
        "(the first row is 1)"
    )


def _finite(where: str, column: "pd.Series[Any]") -> NDArray[np.float64]:
    values = _numbers(column)
    bad = ~(np.abs(values) <= LARGEST) & ~np.isnan(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{where}: must be finite numbers up to {LARGEST:g}, got {values[row]} in row {row + 1} "
            f"(the first row is 1; {bad.sum()} such cells)"
        )
    return values


def target_values(part: Part, like: "pd.Series[Any] | None" = None) -> "NDArray[Any]":
    """The target of one part as an array (n,) of numbers or strings, with NaN for a missing cell.

    like: the target of the training rows, for that of a test set, which must be of the same kind.
    """
    where, column = part
    if column.isna().all():
        raise InputError(f"{where}: is empty in all {len(column)} rows")
    if like is not None:
        _check_kind(where, column, is_numeric(where, like))
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
    if isinstance(column.dtype, pd.CategoricalDtype) or cells.isna().all():
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
