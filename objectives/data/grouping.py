"""Groups and times of rows, across which nothing is split: from a user's columns to numbers, and their checks.

A column has one part, or two where the test rows are the user's own: the training rows and the test rows.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.splits import FEWEST, NOTHING_APART, Apart, split
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices

if TYPE_CHECKING:
    import pandas as pd

Part = tuple[str, "pd.Series[Any]"]
"""The cells of a column in one part of the rows, after the start of messages about them."""


def kept_apart(
    where: str,
    y: NDArray[Any],
    labels: tuple[str, ...],
    groups: Sequence[Part] | None,
    time: Sequence[Part] | None,
) -> Apart:
    """What the columns `groups` or `time` keep apart; InputError for both."""
    if groups is not None and time is not None:
        raise InputError(f"{where}: groups and time are both given; rows are split by one of them")
    if groups is not None:
        return Apart(groups=group_numbers(groups, y, labels))
    return NOTHING_APART if time is None else Apart(times=time_ranks(time, y, labels))


def cells_of(where: str, values: Any, n_rows: int) -> Part:
    """A part from a user's array (n_rows,)."""
    import pandas as pd

    try:
        cells = pd.Series(values).reset_index(drop=True)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: must be one value for each row: {error}") from None
    if len(cells) != n_rows:
        raise InputError(f"{where}: must have shape ({n_rows},), one value for each row, got ({len(cells)},)")
    return where, cells


def group_numbers(parts: Sequence[Part], y: NDArray[Any], labels: tuple[str, ...]) -> Indices:
    """(n,) the number of each row's group; test rows without a column of their own have -1.

    y: (n,) classes or (n, …) numbers. labels: the names of the classes, () for a regression. Raises InputError for a
    missing cell, for fewer groups than parts of a split, for a class in a single group, which cannot be both trained
    and tested on, and for a group of the training rows that is in the user's own test rows too.
    """
    import pandas as pd

    for part in parts:
        _refuse_missing(*part)
    (where, training), *tested = parts
    both = pd.concat([cells for _, cells in parts], ignore_index=True)
    if not all(pd.api.types.is_numeric_dtype(cells) for _, cells in parts):
        both = both.astype(object).map(str)
    numbers, names = pd.factorize(both)
    of_training = numbers[: len(training)]
    for told, _ in tested:
        shared = np.isin(numbers[len(training) :], of_training)
        if shared.any():
            row = int(np.argmax(shared))
            name = names[numbers[len(training) + row]]
            raise InputError(f"{told}: group {_shown(name)} in {_row(row)} has training rows too")
    count, least = len(np.unique(of_training)), 3 if len(training) == len(y) else 2
    if count < least:
        raise InputError(f"{where}: at least {least} groups are needed, one for each part of a split, got {count}")
    for code, label in enumerate(labels):
        of_class = np.unique(of_training[y[: len(training)] == code])
        if len(of_class) == 1:
            raise InputError(
                f"{where}: all rows of class {label!r} are of group {_shown(names[of_class[0]])}: it needs another "
                "group, so that it can be trained and tested on"
            )
    return np.concatenate([numbers, np.full(len(y) - len(numbers), -1)]).astype(np.int64)


def time_ranks(parts: Sequence[Part], y: NDArray[Any], labels: tuple[str, ...]) -> Indices:
    """(n,) the rank of each row's time, equal for equal times; test rows without a column of their own are the latest.

    The cells are numbers, dates, or texts in the notation of ISO 8601; times without a zone are in UTC. y, labels: as
    for `group_numbers`. Raises InputError for a cell that is none of these, for fewer times than parts of a split, for
    parts on which nothing can be measured, and for test rows of the user's own that are not later than all training
    rows.
    """
    import pandas as pd

    moments = [_moments(*part) for part in parts]
    (where, training), n = parts[0], len(y)
    if len({cells.dtype.kind for cells in moments}) > 1:
        raise InputError(f"{parts[1][0]}: must hold numbers or dates as the training rows do")
    last = moments[0].max()
    for (told, cells), own in zip(parts[1:], moments[1:], strict=True):
        early = (own <= last).to_numpy()
        if early.any():
            row = int(np.argmax(early))
            raise InputError(
                f"{told}: {_shown(cells.iloc[row])} in {_row(row)} is not after all training rows, "
                f"the last of which is of {_shown(last)}"
            )
    ranks, _ = pd.factorize(pd.concat(moments, ignore_index=True), sort=True)
    ranks = np.concatenate([ranks, np.full(n - len(ranks), ranks.max() + 1)]).astype(np.int64)
    count, least = moments[0].nunique(), 3 if len(training) == n else 2
    if count < least:
        raise InputError(f"{where}: at least {least} different times are needed, one for each part, got {count}")
    test = None if len(training) == n else np.arange(len(training), n)
    rows = split(n, None, 0, 0, 0, test, apart=Apart(times=ranks))
    for name, part in (("validation", rows.validation), ("test", rows.test)):
        _check_part(where, f"the latest rows, which are the {name} rows,", part, rows.train, y, labels)
    return ranks


def _check_part(
    where: str, part: str, held_out: Indices, train: Indices, y: NDArray[Any], labels: tuple[str, ...]
) -> None:
    """InputError for held-out rows on which nothing can be measured after training on the rows `train`."""
    if len(held_out) < FEWEST:
        raise InputError(f"{where}: {part} must be at least {FEWEST}, got {len(held_out)}")
    if not labels:
        if y.ndim == 1 and np.ptp(y[held_out]) == 0:
            raise InputError(f"{where}: {part} all have the target {y[held_out][0]:g}, so R² is not defined")
        return
    new = np.setdiff1d(y[held_out], y[train])
    if len(new):
        raise InputError(f"{where}: {part} have class {labels[new[0]]!r}, which no training row has")


def _moments(where: str, cells: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells of a column of times as float64 or as dates in UTC."""
    import pandas as pd
    from pandas.api import types

    _refuse_missing(where, cells)
    if types.is_numeric_dtype(cells) and not types.is_bool_dtype(cells):
        return pd.Series(cells.astype(np.float64))
    if isinstance(cells.dtype, pd.PeriodDtype):
        cells = cells.dt.start_time
    if types.is_timedelta64_dtype(cells):
        return pd.Series(cells.dt.total_seconds().to_numpy(np.float64))
    if types.is_datetime64_any_dtype(cells):
        return pd.Series(pd.to_datetime(cells, utc=True))
    texts = cells.astype(object)
    numbers = pd.to_numeric(texts.map(str), errors="coerce")
    if numbers.notna().all():
        return numbers.astype(np.float64)
    dates = pd.to_datetime(texts.map(str), format="ISO8601", utc=True, errors="coerce")
    if dates.isna().any():
        row = int(np.argmax(dates.isna()))
        raise InputError(
            f"{where}: must hold numbers, or dates such as 2024-05-31 or 2024-05-31 18:30, got "
            f"{_shown(texts.iloc[row])} in {_row(row)}"
        )
    return dates


def _refuse_missing(where: str, cells: "pd.Series[Any]") -> None:
    """InputError for an empty cell: a row of no group, or of no time, could be in any part."""
    missing = cells.isna().to_numpy()
    if missing.any():
        raise InputError(f"{where}: {missing.sum()} missing, the first in {_row(int(np.argmax(missing)))}")


def _row(row: int) -> str:
    return f"row {row + 1} (the first row is 1)"


def _shown(value: Any) -> str:
    return str(value) if hasattr(value, "isoformat") else repr(value.item() if isinstance(value, np.generic) else value)
