"""The order of a replicate's training rows: shuffled, in the order of the data, or by a curriculum.

In any order an epoch has as many rows as there are training rows, so that budgets are equal in gradient evaluations.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Indices
from cooldown.objectives.random_streams import generator

FIRST_SHARE = 0.2
"""The share of the rows, the easiest ones, that a curriculum starts with; it reaches all rows at half of the run."""


MOST_KEPT = 2**17
"""Orders of a run are kept for other runs if they are of no more rows in all, 1 MiB."""

RUNS_KEPT = 64
"""So many runs' orders are kept in a process; a search trains every config with the same few seeds."""


@dataclass(eq=False)
class DataOrder:
    """The order of one seed's rows, epoch after epoch.

    rows: (n,) the training rows; for a curriculum ordered from easy to hard. rng: the seed's stream "data order".
    known: (epochs, n) all of it, where it is known; then nothing is drawn from `rng`.
    """

    rows: Indices
    rng: np.random.Generator
    epochs: int
    shuffle: bool
    curriculum: str
    known: Indices | None = None

    def epoch(self, index: int) -> Indices:
        """(n,) rows of the epoch `index` (from 0); call it once per epoch, in order."""
        n = len(self.rows)
        if self.known is not None:
            return np.asarray(self.known[index])
        if self.curriculum == "none":
            return self._pass(self.rows)
        share = min(1.0, FIRST_SHARE + (1 - FIRST_SHARE) * 2 * index / self.epochs)
        if share == 1.0:
            return self._pass(self.rows)
        easiest = self.rows[: max(round(share * n), 1)]
        if self.curriculum == "easy_to_hard":
            return self._fill(easiest, n)
        # Every other row, alternating between odd and even: so unshuffled epochs contain hard rows too.
        others = self.rng.permutation(self.rows)[: n // 2] if self.shuffle else self.rows[index % 2 :: 2][: n // 2]
        return self._pass(np.concatenate([self._fill(easiest, n - len(others)), others]))

    def _fill(self, rows: Indices, count: int) -> Indices:
        """(count,) rows: complete passes over `rows` and part of a further one."""
        return np.concatenate([self._pass(rows) for _ in range(-(-count // len(rows)))])[:count]

    def _pass(self, rows: Indices) -> Indices:
        return self.rng.permutation(rows) if self.shuffle else rows


def order_stream(seed: int) -> np.random.Generator:
    """The stream from which a seed's order is drawn."""
    return generator(seed, "data order")


def kept_order(rows: Indices, seed: int, epochs: int) -> Indices | None:
    """(epochs, n) the shuffled rows of a run, drawn once in a process for equal arguments; None if that is too much."""
    return _shuffled(np.asarray(rows, np.int64).tobytes(), seed, epochs) if epochs * len(rows) <= MOST_KEPT else None


@lru_cache(maxsize=RUNS_KEPT)
def _shuffled(rows: bytes, seed: int, epochs: int) -> Indices:
    rng, given = order_stream(seed), np.frombuffer(rows, np.int64)
    found = np.stack([rng.permutation(given) for _ in range(epochs)])
    found.setflags(write=False)
    return found


def by_difficulty(rows: Indices, losses: NDArray[np.float64]) -> Indices:
    """`rows` (n,) from easy to hard, by a reference model's `losses` (n,); ties keep their order."""
    return rows[np.argsort(losses, kind="stable")]
