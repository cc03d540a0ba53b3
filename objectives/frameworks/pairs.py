"""Rows that a user gives as pairs of arrays, whatever the framework."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError


def pairs_of(parts: Mapping[str, Any], call: str) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Inputs and targets of each part that is given, as arrays; labels in words are numbered in order.

    call: its name in messages.
    """
    pairs = {}
    for key, part in parts.items():
        if part is None:
            continue
        if not isinstance(part, tuple | list) or len(part) != 2:
            raise InputError(f"{call}({key}=...): must be a pair (X, y), got {type(part).__name__}")
        pairs[key] = np.asarray(part[0]), np.asarray(part[1])
    if any(y.dtype.kind in "bOUS" for _, y in pairs.values()):
        labels = np.unique(np.concatenate([y for _, y in pairs.values()]))
        pairs = {key: (X, np.searchsorted(labels, y)) for key, (X, y) in pairs.items()}
    for key, (X, y) in pairs.items():
        where = f"{call}({key}=...)"
        for name, values in (("X", X), ("y", y)):
            if values.ndim == 0 or values.dtype.kind not in "biuf":
                raise InputError(f"{where}: {name} must be an array of numbers, one entry per row")
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
                raise InputError(f"{where}: {name} must be finite numbers, got one that is not in row {row + 1}")
        if len(X) != len(y) or len(X) < 2:
            raise InputError(f"{where}: X and y must have the same number of rows, at least 2, got {len(X)}, {len(y)}")
    return pairs
