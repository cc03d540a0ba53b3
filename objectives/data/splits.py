"""The split of rows into training, validation and test rows: 60, 20 and 20 %.

Protocol 2, in use: the test rows are drawn for each repeat, and the validation rows for each replicate within it, so
that neither the search nor the answer depends on one draw. Protocol 1, of older ledgers: one draw of the test rows for
all repeats, and one of the validation rows for all replicates of a repeat.

Rows of one group are never in two parts: whole groups are drawn. Rows with times are not drawn at all: the latest are
the test rows and the latest of the others the validation rows, in every repeat and for every replicate, whose seeds
then differ in initial weights and data order alone.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.drawing import drawn
from cooldown.objectives.problem import Indices
from cooldown.objectives.random_streams import seeds

FEWEST = 2
"""Rows that a held-out part of whole groups, or of the latest rows, has at least if it can: one row has no R²."""


class Split(NamedTuple):
    """train (n,), validation (m,) and test (k,) rows, each in ascending order; no row is in two of them."""

    train: Indices
    validation: Indices
    test: Indices

    @property
    def rest(self) -> Indices:
        """(n + m,) all rows but the test rows, in ascending order."""
        return np.sort(np.concatenate([self.train, self.validation]))


class Apart(NamedTuple):
    """What splits keep apart; at most one of the two.

    groups: (n_rows,) the number of each row's group; rows of one group are in one part. times: (n_rows,) the rank of
    each row's time, equal for equal times; every training row is before every validation row, and these before the
    test rows.
    """

    groups: Indices | None = None
    times: Indices | None = None


NOTHING_APART = Apart()


def split(
    n_rows: int,
    labels: NDArray[Any] | None,
    seed: int,
    repeat: int | None = None,
    replicate: int | None = None,
    test: Indices | None = None,
    apart: Apart = NOTHING_APART,
) -> Split:
    """The rows of a replicate, whose seed is `replicate`, in a repeat.

    labels: (n_rows,) classes to stratify by, or None for an unstratified split. replicate: None for protocol 1. test:
    test rows of the user's own, for all repeats, instead of drawn ones.
    """

    def parted(rows: Indices, fraction: float, random_state: int, left: int) -> tuple[Indices, Indices]:
        """The other rows and those held out. left: how many parts the others are for."""
        if apart.times is not None:
            return _latest(rows, fraction, apart.times, left)
        if apart.groups is not None:
            return _whole_groups(rows, fraction, labels, apart.groups, random_state, left)
        return drawn(rows, fraction, None if labels is None else labels[rows], random_state)

    everything = np.arange(n_rows)
    if test is not None:
        rest = np.setdiff1d(everything, test)
    else:
        rest, test = parted(everything, 0.2, test_state(seed, None if replicate is None else repeat or 0), 2)
    train, validation = parted(rest, 0.25, validation_state(seed, repeat or 0, replicate), 1)
    return Split(train, validation, test)


def test_state(seed: int, repeat: int | None) -> int:
    """The `random_state` that the test rows are drawn with; repeat: None for protocol 1."""
    return seeds(seed, "test split", *(() if repeat is None else (repeat,)), count=1)[0]


def validation_state(seed: int, repeat: int, replicate: int | None) -> int:
    """The `random_state` that the validation rows are drawn with; replicate: its seed, None for protocol 1."""
    return seeds(seed, "validation split", repeat, *(() if replicate is None else ("replicate", replicate)), count=1)[0]


def _whole_groups(
    rows: Indices, fraction: float, labels: NDArray[Any] | None, groups: Indices, random_state: int, left: int
) -> tuple[Indices, Indices]:
    """The rows of other groups and those of the groups held out, of which at least one is; at least `left` are not.

    In a random order, each group is held out if this brings the rows held out nearer to `fraction` of each class, or of
    all rows where there are none. A class counts by its share, so that a rare one is not sacrificed to a frequent one.
    """
    names, group_of = np.unique(groups[rows], return_inverse=True)
    classes = np.zeros(len(rows), np.int64) if labels is None else np.unique(labels[rows], return_inverse=True)[1]
    counts = np.zeros((len(names), classes.max() + 1))
    np.add.at(counts, (group_of, classes), 1)
    total = counts.sum(axis=0)
    missing = fraction * total
    held = np.zeros(len(names), bool)

    def farther(count: NDArray[Any]) -> NDArray[Any]:
        """By how much the squared distance to what is missing grows with `count` (…, classes), in shares of a class."""
        return np.asarray((count * (count - 2 * missing) / total**2).sum(axis=-1))

    order, free = np.random.default_rng(random_state).permutation(len(names)), len(names) - left
    for group in order:
        if free and farther(counts[group]) < 0:
            held[group] = True
            missing -= counts[group]
            free -= 1
    while free and counts[held].sum() < FEWEST:
        others = order[~held[order]]
        nearest = others[np.argmin(farther(counts[others]))]
        held[nearest] = True
        missing -= counts[nearest]
        free -= 1
    return rows[~held[group_of]], rows[held[group_of]]


def _latest(rows: Indices, fraction: float, times: Indices, left: int) -> tuple[Indices, Indices]:
    """The earlier rows and the latest ones, as near as possible to a `fraction` of all; at least `left` times are
    earlier.
    """
    moments, counts = np.unique(times[rows], return_counts=True)
    # The rows from each moment on, if the part begins with it.
    sizes = counts[::-1].cumsum()[::-1][left:]
    far = np.abs(sizes - fraction * len(rows))
    first = int(np.argmin(np.where((sizes >= FEWEST) | (sizes == sizes.max()), far, np.inf)))
    late = times[rows] >= moments[left + first]
    return rows[~late], rows[late]
