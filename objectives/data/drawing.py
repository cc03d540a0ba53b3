"""`drawn`: rows held out at random, the same ones as by scikit-learn's `train_test_split`.

Drawn here because importing scikit-learn takes longer than everything else before the first job of an experiment.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices


def drawn(rows: Indices, fraction: float, labels: NDArray[Any] | None, random_state: int) -> tuple[Indices, Indices]:
    """The other rows and the `fraction` (0 to 1) of the `rows` (n,) that is held out, each in ascending order.

    labels: (n,) the classes of these rows, of each of which both parts have their share; None for no classes. Raises
    InputError where a class has one row, or a part fewer rows than there are classes.
    """
    n_held_out = math.ceil(fraction * len(rows))
    rng = np.random.RandomState(random_state)
    if labels is None:
        order = rng.permutation(len(rows))
        return np.sort(rows[order[n_held_out:]]), np.sort(rows[order[:n_held_out]])
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if counts.min() < 2 or min(n_held_out, len(rows) - n_held_out) < len(counts):
        raise InputError(
            f"{len(rows)} rows of {len(counts)} classes, {counts.min()} of the rarest, are too few to hold out a "
            f"{fraction:g} of each class"
        )
    n_rest = _shares(counts, len(rows) - n_held_out, rng)
    n_others = _shares(counts - n_rest, n_held_out, rng)
    rest, held_out = [], []
    of_each = np.split(np.argsort(classes, kind="stable"), np.cumsum(counts)[:-1])
    for of_class, first, second in zip(of_each, n_rest, n_others, strict=True):
        order = of_class[rng.permutation(len(of_class))]
        rest.append(order[:first])
        held_out.append(order[first : first + second])
    return np.sort(rows[np.concatenate(rest)]), np.sort(rows[np.concatenate(held_out)])


def _shares(counts: Indices, n: int, rng: np.random.RandomState) -> Indices:
    """How many of `n` rows each class gets that has so many, `counts` (classes,): its share, rounded down, and one more
    where most was lost by that, as long as there are some left; equal losses draw lots.
    """
    shares = counts / counts.sum() * n
    rounded = np.floor(shares)
    lost, left = shares - rounded, int(n - rounded.sum())
    for loss in np.unique(lost)[::-1]:
        if not left:
            break
        (equal,) = np.nonzero(lost == loss)
        lucky = rng.choice(equal, size=min(len(equal), left), replace=False)
        rounded[lucky] += 1
        left -= len(lucky)
    return np.asarray(rounded, np.int64)
