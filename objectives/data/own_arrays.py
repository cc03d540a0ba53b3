"""`from_arrays`: a user's own arrays as a task; `arrays_task`: arrays that come from elsewhere."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.arrays import ArrayTask, in_memory
from cooldown.objectives.data.checks import (
    check_features,
    check_name,
    check_sample_weight,
    check_target,
    check_test_target,
    classes_of,
    names_of,
)
from cooldown.objectives.data.grouping import cells_of, kept_apart
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError
from cooldown.objectives.models.sparse_rows import is_sparse, stacked


def from_arrays(
    X: Any,
    y: Any,
    *,
    name: str = "arrays",
    kind: Kind | None = None,
    hidden: tuple[int, ...] = (32,),
    sample_weight: Any = None,
    test: tuple[Any, Any] | None = None,
    groups: Any = None,
    time: Any = None,
) -> ArrayTask:
    """A task from a user's own arrays.

    X: (n, d) finite numbers, or a sparse matrix of scipy, which stays sparse. y: (n,) labels (strings, booleans or
        numbers) or numbers to predict.
    kind: "classification" or "regression". If None, strings, booleans and at most 20 distinct whole numbers are
        classes, and everything else is a regression.
    hidden: widths of the MLP's hidden layers, () for linear or logistic regression.
    sample_weight: (n,) weights of the rows above 0, in the training loss and in all measures; None if all count alike.
    test: (X_test (m, d), y_test (m,)), the test rows of every repeat instead of drawn ones, at least 2: the same
        columns, and only labels that y has. All rows of X are then for training and validation. Where rows have
        weights, (X_test, y_test, weights (m,)).
    groups: (n,) what belongs together, such as the patient of each row: training, validation and test rows are of
        different groups. time: (n,) numbers or dates: the latest rows are the test rows of all repeats, the latest of
        the others the validation rows. Neither is a feature; give one at most.

    Raises InputError for anything that cannot be split and trained on: missing or infinite values, a constant
    target, a class of fewer than 5 rows, fewer than 10 rows (with `test`: 4 and 8); and for a `test` that does not
    fit.
    """
    told = {part: f"from_arrays({part}=...)" for part in ("X", "y", "sample_weight", "groups", "time")}
    told["test"] = "from_arrays(test=(X, y))"
    check_name("from_arrays", name)
    return arrays_task(
        told,
        X,
        y,
        name=name,
        kind=kind,
        hidden=hidden,
        sample_weight=sample_weight,
        test=test,
        groups=groups,
        time=time,
    )


def arrays_task(
    told: Mapping[str, str],
    X: Any,
    y: Any,
    *,
    name: str,
    kind: Kind | None,
    hidden: tuple[int, ...],
    sample_weight: Any = None,
    test: tuple[Any, Any] | None = None,
    groups: Any = None,
    time: Any = None,
) -> ArrayTask:
    """A task from arrays: see `from_arrays`. told: the start of messages about X, y, test, and what else is given."""
    features = check_features(X, told["X"])
    where = told["y"]
    n_own, n_test = features.shape[0], 0
    target, task_kind = check_target(where, y, n_own, kind, drawn_test=test is None)
    weights = None if sample_weight is None else check_sample_weight(told["sample_weight"], sample_weight, n_own)
    classes = classes_of(where, y, n_own) if task_kind == "classification" else ()
    if test is not None:
        of_training = features, target, weights, task_kind
        features, target, weights, n_test = _with_test(told["test"], test, X, y, *of_training)
    columns = (("groups", groups), ("time", time))
    kept = [None if given is None else [cells_of(told[column], given, n_own)] for column, given in columns]
    return ArrayTask(
        name,
        task_kind,
        partial(in_memory, features, target),
        hidden,
        classes=classes,
        sample_weight=weights,
        n_test=n_test,
        apart=kept_apart("from_arrays", target, names_of(classes), *kept),
    )


def _with_test(
    where: str,
    test: Any,
    X: Any,
    y: Any,
    features: Any,
    target: NDArray[Any],
    weights: NDArray[np.float64] | None,
    kind: Kind,
) -> tuple[Any, NDArray[Any], NDArray[np.float64] | None, int]:
    """Features, target and weights with the rows of `test` after those of the training rows, and how many these are.

    where: the start of messages. X, y: the training rows as the user gave them.
    """
    parts = 2 if weights is None else 3
    if not isinstance(test, tuple | list) or len(test) != parts:
        what = "two arrays" if weights is None else "three arrays, X, y and the weights of the rows"
        raise InputError(f"{where}: must be {what}, got {_counted(test)}")
    test_features = check_features(test[0], f"{where}: X")
    n_test = test_features.shape[0]
    if is_sparse(test_features) != is_sparse(features):
        raise InputError(f"{where}: X must be a sparse matrix where that of the training rows is one, and only there")
    if test_features.shape[1] != features.shape[1]:
        raise InputError(
            f"{where}: X must have the {features.shape[1]} columns of the training rows, got {test_features.shape[1]}"
        )
    names, test_names = ([*map(str, getattr(table, "columns", ()))] for table in (X, test[0]))
    if names and test_names and names != test_names:
        raise InputError(
            f"{where}: X must have the columns {', '.join(names)} in this order, got {', '.join(test_names)}"
        )
    test_target = check_test_target(f"{where}: y", test[1], n_test, kind, y)
    if weights is not None:
        test_weights = check_sample_weight(f"{where}: weights", test[2], n_test)
        assert test_weights is not None
        weights = np.concatenate([weights, test_weights])
    both = stacked([features, test_features]), np.concatenate([target, test_target])
    return *both, weights, n_test


def _counted(test: Any) -> str:
    return f"{len(test)} of them" if isinstance(test, tuple | list) else type(test).__name__
