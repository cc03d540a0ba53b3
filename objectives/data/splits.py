"""The split of rows into training, validation and test rows: 60, 20 and 20 %.

Protocol 2, in use: the test rows are drawn for each repeat, and the validation rows for each replicate within it, so
that neither the search nor the answer depends on one draw. Protocol 1, of older ledgers: one draw of the test rows for
all repeats, and one of the validation rows for all replicates of a repeat.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Indices
from cooldown.objectives.random_streams import seeds


class Split(NamedTuple):
    """train (n,), validation (m,) and test (k,) rows, each in ascending order; no row is in two of them."""

    train: Indices
    validation: Indices
    test: Indices

    @property
    def rest(self) -> Indices:
        """(n + m,) all rows but the test rows, in ascending order."""
        return np.sort(np.concatenate([self.train, self.validation]))


def split(
    n_rows: int,
    labels: NDArray[Any] | None,
    seed: int,
    repeat: int | None = None,
    replicate: int | None = None,
    test: Indices | None = None,
) -> Split:
    """The rows of a replicate, whose seed is `replicate`, in a repeat.

    labels: (n_rows,) classes to stratify by, or None for an unstratified split. replicate: None for protocol 1. test:
    test rows of the user's own, for all repeats, instead of drawn ones.
    """
    everything = np.arange(n_rows)
    if test is not None:
        rest = np.setdiff1d(everything, test)
    else:
        rest, test = _part(everything, 0.2, labels, test_state(seed, None if replicate is None else repeat or 0))
    train, validation = _part(rest, 0.25, labels, validation_state(seed, repeat or 0, replicate))
    return Split(train, validation, test)


def test_state(seed: int, repeat: int | None) -> int:
    """The `random_state` that the test rows are drawn with; repeat: None for protocol 1."""
    return seeds(seed, "test split", *(() if repeat is None else (repeat,)), count=1)[0]


def validation_state(seed: int, repeat: int, replicate: int | None) -> int:
    """The `random_state` that the validation rows are drawn with; replicate: its seed, None for protocol 1."""
    return seeds(seed, "validation split", repeat, *(() if replicate is None else ("replicate", replicate)), count=1)[0]


def _part(rows: Indices, fraction: float, labels: NDArray[Any] | None, random_state: int) -> tuple[Indices, Indices]:
    from sklearn.model_selection import train_test_split

    stratify = None if labels is None else labels[rows]
    rest, held_out = train_test_split(rows, test_size=fraction, random_state=random_state, stratify=stratify)
    return np.sort(rest), np.sort(held_out)
