"""Checks of a user's data, before anything is trained; every failure raises one complete message."""

from collections.abc import Iterable
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.sparse_rows import in_dtype

LARGEST = 1e30
"""The largest magnitude of a number in the data: it fits in float32, and its square in float64."""

ROWS_OF_A_CLASS = 5
"""Rows that each class needs, so that training, validation and test rows can all contain it."""

ROWS = 10
"""Rows that a regression needs, so that there are two to validate and two to test."""

ROWS_OF_A_CLASS_TO_TRAIN, ROWS_TO_TRAIN = 4, 8
"""The same without the test rows, where these are the user's own: the quarter that validates has a row of each class,
and two of a regression.
"""

TEST_ROWS = 2
"""Rows that a test set of the user's own needs."""

NO_CLASSES = '; if the numbers are not classes, use kind="regression" (--kind regression)'

Label = str | bool | int | float
"""The label of a class."""

LABELS = 20
"""Whole numbers with at most this many distinct values are classes, if the kind is not given."""


def check_name(call: str, name: Any) -> str:
    """`name` if it is a non-empty string."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"{call}(name={name!r}): a name must be a non-empty string")
    return name


def check_kind(kind: Any) -> Kind:
    """`kind` if it is "classification" or "regression"."""
    if kind not in get_args(Kind):
        raise unknown_name("kind of task", kind, get_args(Kind))
    return cast(Kind, kind)


def check_n_samples(call: str, n_samples: Any) -> int:
    """`n_samples` if there are enough rows to split."""
    if isinstance(n_samples, bool) or not isinstance(n_samples, int | np.integer) or n_samples < ROWS:
        raise InputError(f"{call}(n_samples={n_samples!r}): must be a whole number of at least {ROWS}")
    return int(n_samples)


def check_uninformed_loss(call: str, loss: Any) -> float | None:
    """The baseline loss as a float if it is finite; None for None."""
    if loss is None:
        return None
    if not isinstance(loss, int | float | np.number) or not np.isfinite(loss):
        raise InputError(f"{call}(uninformed_loss={loss!r}): must be a finite number")
    return float(loss)


def check_hidden(hidden: Any) -> tuple[int, ...]:
    """Widths of hidden layers as a tuple: () for none, which is linear or logistic regression."""
    widths = tuple(hidden) if isinstance(hidden, Iterable) and not isinstance(hidden, str) else (None,)
    if any(isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1 for width in widths):
        raise InputError(f"hidden={hidden!r}: widths of hidden layers must be whole numbers of at least 1, as in (32,)")
    return tuple(int(width) for width in widths)


def check_features(X: Any, where: str = "from_arrays(X=...)", missing: bool = False) -> Any:
    """`X` as (n, d) float64, a CSR array if it is a sparse matrix: finite numbers, at least one column.

    where: the start of the messages. missing: whether cells may be NaN, for a missing number.
    """
    if hasattr(X, "tocsr"):
        return _check_sparse(X, where)
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise InputError(f"{where}: must be a table of numbers: {error}") from None
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(f"{where}: must have shape (n, d) with d of at least 1, got {array.shape or type(X)}")
    if array.dtype.kind not in "biuf":
        for (row, column), value in np.ndenumerate(array):
            if not isinstance(value, int | float | np.number) or isinstance(value, complex):
                raise InputError(
                    f"{where}: X[{row}, {column}] must be a number, got {_shown(value)} "
                    f"(for text columns and missing cells use from_table)"
                )
    values: NDArray[np.float64] = array.astype(np.float64)
    bad = np.argwhere(~((values >= -LARGEST) & (values <= LARGEST)) & ~(missing & np.isnan(values)))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{where}: must be finite numbers up to {LARGEST:g}, got {values[row, column]} at "
            f"X[{row}, {column}] ({len(bad)} such cells)"
        )
    return values


def _check_sparse(X: Any, where: str) -> Any:
    """A sparse matrix as a CSR array of finite numbers."""
    if X.ndim != 2 or X.shape[1] == 0:
        raise InputError(f"{where}: must have shape (n, d) with d of at least 1, got {X.shape}")
    if X.dtype.kind not in "biuf":
        raise InputError(f"{where}: a sparse matrix must hold numbers, got values of type {X.dtype}")
    cells = in_dtype(X, np.dtype(np.float64)).tocoo()
    bad = np.flatnonzero(~(np.abs(cells.data) <= LARGEST))
    if len(bad):
        row, column = (int(places[bad[0]]) for places in cells.coords)
        raise InputError(
            f"{where}: must be finite numbers up to {LARGEST:g}, got {cells.data[bad[0]]} at X[{row}, {column}] "
            f"({len(bad)} such cells)"
        )
    return cells.tocsr()


def check_target(
    where: str, target: Any, n_rows: int, kind: Kind | None, *, drawn_test: bool = True
) -> tuple[NDArray[Any], Kind]:
    """The target as the model needs it, and the kind of task, inferred if `kind` is None.

    where: the start of the messages. target: (n_rows,) labels or numbers. drawn_test: whether test rows are drawn from
        these rows, which then must be more.
    Returns classes 0…K−1 (n,) int64 in the labels' order, or numbers (n,) float64. Strings, booleans and at
    most 20 distinct whole numbers are classes, everything else is a regression, unless `kind` says otherwise.
    """
    if kind is not None:
        check_kind(kind)
    values = _plain(where, target, n_rows)
    if n_rows == 0:
        raise InputError(f"{where}: has no rows")
    of_a_class, of_a_regression = (ROWS_OF_A_CLASS, ROWS) if drawn_test else (ROWS_OF_A_CLASS_TO_TRAIN, ROWS_TO_TRAIN)
    numeric = values.dtype.kind in "iuf"
    labels, classes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if kind is None:
        whole = not numeric or bool((labels == np.floor(labels)).all())
        kind = "classification" if not numeric or (whole and len(labels) <= LABELS) else "regression"
    if len(labels) == 1:
        only = "only one class" if kind == "classification" else "constant"
        raise InputError(f"{where}: is {only}, {_shown(labels[0])}, in all {n_rows} rows, so there is nothing to learn")
    if kind == "regression":
        if not numeric:
            raise InputError(f"{where}: a regression needs numbers, got {_shown(values[0])} in {_row(0)}")
        if n_rows < of_a_regression:
            raise InputError(f"{where}: at least {of_a_regression} rows are needed to split them, got {n_rows}")
        return values.astype(np.float64), kind
    rarest = int(np.argmin(counts))
    if counts[rarest] < of_a_class:
        raise InputError(
            f"{where}: class {_shown(labels[rarest])} has too few rows, {counts[rarest]}: "
            f"at least {of_a_class} of each class are needed to split them{NO_CLASSES if numeric else ''}"
        )
    return classes.astype(np.int64), kind


def classes_of(where: str, target: Any, n_rows: int) -> tuple[Label, ...]:
    """The labels of a target that `check_target` has checked, in the order of the classes' numbers."""
    return tuple(np.unique(_plain(where, target, n_rows)).tolist())


def names_of(classes: Iterable[Label]) -> tuple[str, ...]:
    """The labels of classes as texts."""
    return tuple(f"{label:g}" if isinstance(label, float) else str(label) for label in classes)


def check_sample_weight(where: str, weights: Any, n_rows: int) -> NDArray[np.float64] | None:
    """Weights of rows (n_rows,) as float64: finite numbers above 0; None for None."""
    if weights is None:
        return None
    values = _plain(where, weights, n_rows)
    if values.dtype.kind not in "iuf":
        raise InputError(f"{where}: weights of rows must be numbers, got {_shown(values[0])} in {_row(0)}")
    numbers: NDArray[np.float64] = values.astype(np.float64)
    bad = ~((numbers > 0) & (numbers <= LARGEST))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"{where}: weights of rows must be finite and above 0, got {numbers[row]:g} in {_row(row)}")
    return numbers


def check_test_target(where: str, target: Any, n_rows: int, kind: Kind, training: Any) -> NDArray[Any]:
    """The target of a test set, with the classes of the training rows.

    where: the start of the messages. target: (n_rows,) labels or numbers. training: (n,) the target of the training
        rows as the user gave it, checked by `check_target`, which found this `kind`.
    Returns classes (n_rows,) int64, or numbers (n_rows,) float64. Raises InputError for a target that is of another
    kind than `training` or has a label that `training` has not, and for one on which R² is not defined.
    """
    known, values = _plain(where, training, len(training)), _plain(where, target, n_rows)
    if n_rows < TEST_ROWS:
        raise InputError(f"{where}: at least {TEST_ROWS} rows are needed to test on, got {n_rows}")
    if _sort(known) != _sort(values):
        raise InputError(
            f"{where}: must hold {_sort(known)} as the training rows do, got {_sort(values)}: {_shown(values[0])} in "
            f"{_row(0)}"
        )
    numeric = values.dtype.kind in "iuf"
    if kind == "regression":
        if (values == values[0]).all():
            raise InputError(f"{where}: is constant, {_shown(values[0])}, in all {n_rows} rows, so R² is not defined")
        return values.astype(np.float64)
    labels = np.unique(known)
    unknown = ~np.isin(values, labels)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{where}: {_shown(values[row])} in {_row(row)} is a class that no training row has"
            f"{NO_CLASSES if numeric else ''}"
        )
    return np.searchsorted(labels, values).astype(np.int64)


def check_loaded(X: Any, y: Any, kind: Kind, n_test: int = 0) -> None:
    """Check what the `load` of a task of arrays returns: X (n, d), in which NaN is a missing cell, and y: (n,) classes
    0…K−1, or numbers (n,) or (n, K), whose last `n_test` rows are test rows of the task's own.
    """
    n_rows = check_features(X, "load(): X", missing=True).shape[0]
    targets = np.asarray(y)
    if kind == "classification" or targets.ndim != 2:
        if n_test and targets.shape == (n_rows,):
            training, test = targets[:-n_test], targets[-n_test:]
            check_target("load(): y", training, n_rows - n_test, kind, drawn_test=False)
            check_test_target(f"load(): the last {n_test} rows of y", test, n_test, kind, training)
        else:
            check_target("load(): y", y, n_rows, kind)
        classes = np.unique(targets)
        numeric = classes.dtype.kind in "biuf"
        if kind == "classification" and not (numeric and np.array_equal(classes, np.arange(len(classes)))):
            raise InputError(
                f"load(): y: classes must be numbered 0 to {len(classes) - 1}, got {_shown(classes[0])} to "
                f"{_shown(classes[-1])}; from_arrays numbers them"
            )
    elif len(targets) != n_rows:
        raise InputError(f"load(): y: must have {n_rows} rows, one for each row of X, got {len(targets)}")
    else:
        check_features(targets, "load(): y")


def _plain(where: str, target: Any, n_rows: int) -> NDArray[Any]:
    """The target as an array of one simple type, without missing values."""
    import pandas as pd

    try:
        values = np.asarray(target)
        if values.shape != (n_rows,):
            raise InputError(f"{where}: must have shape ({n_rows},), one value for each row of X, got {values.shape}")
        missing = pd.isna(values)
        if missing.any():
            row = int(np.argmax(missing))
            raise InputError(f"{where}: {int(missing.sum())} missing (NaN), the first in {_row(row)}")
        if values.dtype == object:
            values = np.array(values.tolist())
            if values.ndim > 1:
                raise InputError(f"{where}: must be one label or number for each row, got {_shown(target[0])}")
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: must be one label or number for each row: {error}") from None
    if values.dtype.kind not in "biufU":
        raise InputError(f"{where}: must hold labels or numbers, got values of type {values.dtype}")
    if values.dtype.kind in "iuf" and not (usable := np.abs(values.astype(np.float64)) <= LARGEST).all():
        row = int(np.argmin(usable))
        raise InputError(f"{where}: must be finite numbers up to {LARGEST:g}, got {values[row]} in {_row(row)}")
    return values


def _sort(values: NDArray[Any]) -> str:
    """What an array of `_plain` holds, in words."""
    return {"b": "booleans", "U": "strings"}.get(values.dtype.kind, "numbers")


def _row(row: int) -> str:
    return f"row {row + 1} (the first row is 1)"


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)
