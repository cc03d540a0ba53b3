"""What may not belong to a table: identifiers, constants, columns that predict the target alone, and test rows that are
rows to train on.

Columns are doubted on the rows that one trains on. All is told; what becomes of it is for the user to say.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.reading.summary import Doubt, ReadColumn

ROWS = 20
"""Rows from which columns are doubted: with fewer, much happens by chance."""

MOST_ROWS = 5_000
"""Rows on which it is found whether a column predicts the target."""

DIFFERENT = 0.95
"""The share of different texts from which a column may be one of identifiers."""

EXPLAINED = 0.98
"""The share of the errors made without a column that it takes away, from which it predicts the classes alone."""

CORRELATED = 0.999
"""The correlation with a target of numbers, and the share of its variance, from which a column predicts it alone."""

GROUP = 10
"""Rows that a category has on average at least, where categories are said to predict the target."""


def doubts(columns: Sequence[ReadColumn], X: NDArray[np.float64], y: NDArray[Any], target: str) -> list[Doubt]:
    """The doubts about the features of a table, at most one for each.

    X: (n, d) numbers and codes, NaN for a missing cell. y: (n,) classes 0…K−1 as integers, or numbers.
    target: its name.
    """
    if len(y) < ROWS:
        return []
    rows = np.linspace(0, len(y) - 1, min(len(y), MOST_ROWS)).astype(int)
    return list(_doubts([column for column in columns if column.places], X, y, rows, target))


def repeated_rows(training: NDArray[np.float64], test: NDArray[np.float64]) -> int:
    """How many test rows (n_test, d) are rows to train on (n, d), too: 0 where these repeat each other anyway, as rows
    of a few categories do.
    """
    if not len(test):
        return 0
    # Added to 0, −0 and 0 have the same bytes.
    known = {row.tobytes() for row in training + 0.0}
    if len(known) < DIFFERENT * len(training):
        return 0
    return sum(row.tobytes() in known for row in test + 0.0)


def _doubts(
    columns: Sequence[ReadColumn], X: NDArray[np.float64], y: NDArray[Any],
    rows: NDArray[np.int64], target: str,
) -> Iterator[Doubt]:  # fmt: skip
    for column in columns:
        # Of a date the elapsed days, which fix the rest.
        values = X[:, column.places[-1]]
        coded = column.kind in ("categories", "booleans")
        predicts = _predicts(values[rows], y[rows], coded)
        distinct = _distinct(values)
        if distinct == 1:
            yield Doubt(column.name, "constant", f"is the same in all {len(y)} rows")
        elif _identifies(values, distinct, coded, column.kind):
            why = f"may be an identifier: {'all' if distinct == len(y) else distinct} of {len(y)} values are different"
            also = f", and its order gives {target} away" if predicts else ""
            yield Doubt(column.name, "identifier", why.replace(f"all of {len(y)}", f"all {len(y)}") + also)
        elif predicts:
            yield Doubt(column.name, "leak", f"predicts {target} almost without error by itself")


def _distinct(values: NDArray[np.float64]) -> int:
    """How many different values there are; missing ones count as one."""
    return len(np.unique(values))


def _identifies(values: NDArray[np.float64], distinct: int, coded: bool, kind: str) -> bool:
    """Whether the values name rows: (nearly) all texts, or all whole numbers, are different."""
    if kind == "dates":
        return False
    if coded:
        return distinct >= DIFFERENT * len(values)
    return distinct == len(values) and bool((values == np.floor(values)).all())


def _predicts(values: NDArray[np.float64], y: NDArray[Any], coded: bool) -> bool:
    return _separates(values, y, coded) if y.dtype.kind == "i" else _determines(values, y, coded)


def _separates(values: NDArray[np.float64], y: NDArray[np.int64], coded: bool) -> bool:
    """Whether few intervals of the numbers, or few categories, hold the classes apart."""
    groups, places = np.unique(values, return_inverse=True)
    n_classes = int(y.max()) + 1
    counts = np.zeros((len(groups), n_classes), np.int64)
    np.add.at(counts, (places, y), 1)
    most = counts.argmax(axis=1)
    # Each further interval or category is an error that it may have been made for.
    parts = len(groups) if coded else 1 + int((np.diff(most) != 0).sum())
    errors = len(y) - int(counts.max(axis=1).sum()) + max(parts - n_classes, 0)
    without = len(y) - int(np.bincount(y).max())
    return errors <= (1 - EXPLAINED) * without


def _determines(values: NDArray[np.float64], y: NDArray[np.float64], coded: bool) -> bool:
    """Whether the target rises or falls with the numbers, or is the same within each category."""
    from scipy.stats import rankdata

    if coded:
        groups, places = np.unique(values, return_inverse=True)
        means = np.bincount(places, y) / np.bincount(places)
        few = len(groups) * GROUP <= len(y)
        return bool(few and np.var(y - means[places]) <= (1 - CORRELATED) * np.var(y))
    known = ~np.isnan(values)
    x, y = values[known], y[known]
    if len(x) < ROWS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return False
    linear, ranked = np.corrcoef(x, y)[0, 1], np.corrcoef(rankdata(x), rankdata(y))[0, 1]
    return bool(max(abs(linear), abs(ranked)) >= CORRELATED)
