"""The split of rows into training, validation and test rows: 60, 20 and 20 %."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Indices
from cooldown.objectives.random_streams import seeds


def split(
    n_rows: int, labels: NDArray[Any] | None, seed: int, repeat: int | None = None
) -> tuple[Indices, Indices, Indices]:
    """Training, validation and test rows, each in ascending order.

    labels: (n_rows,) classes to stratify by, or None for an unstratified split.
    The test rows depend on `seed`, the validation rows on `(seed, repeat)`. `repeat=None` is an evaluation's split:
    all rows but the test rows are training rows, and the validation rows, those of repeat 0, are among them, for
    runs that depend on their validation loss.
    """
    rest, test = _part(np.arange(n_rows), 0.2, labels, seeds(seed, "test split", count=1)[0])
    train, validation = _part(rest, 0.25, labels, seeds(seed, "validation split", repeat or 0, count=1)[0])
    return rest if repeat is None else train, validation, test


def _part(rows: Indices, fraction: float, labels: NDArray[Any] | None, random_state: int) -> tuple[Indices, Indices]:
    from sklearn.model_selection import train_test_split

    stratify = None if labels is None else labels[rows]
    rest, held_out = train_test_split(rows, test_size=fraction, random_state=random_state, stratify=stratify)
    return np.sort(rest), np.sort(held_out)
