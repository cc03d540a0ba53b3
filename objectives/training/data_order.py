"""In which order a replicate sees its training rows: shuffled, as they come, or by a curriculum.

Every epoch has as many rows as there are training rows, whatever the order: budgets are equal in gradient evaluations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import Indices

FIRST_SHARE = 0.2
"""The share of the rows, the easiest ones, that a curriculum begins with; it has reached all at half of the run."""


@dataclass(eq=False)
class DataOrder:
    """The order of one seed's rows, epoch after epoch.

    rows: (n,) the training rows; for a curriculum from the easiest to the hardest. rng: the seed's stream "data order".
    """

    rows: Indices
    rng: np.random.Generator
    epochs: int
    shuffle: bool
    curriculum: str

    def epoch(self, index: int) -> Indices:
        """(n,) rows of the epoch `index`, to be called for each epoch once and in turn."""
        n = len(self.rows)
        if self.curriculum == "none":
            return self._pass(self.rows)
        share = min(1.0, FIRST_SHARE + (1 - FIRST_SHARE) * 2 * index / self.epochs)
        if share == 1.0:
            return self._pass(self.rows)
        easiest = self.rows[: max(round(share * n), 1)]
        if self.curriculum == "easy_to_hard":
            return self._fill(easiest, n)
        # Of all rows every other one, the odd and the even ones in turn: so unshuffled epochs too have hard rows.
        others = self.rng.permutation(self.rows)[: n // 2] if self.shuffle else self.rows[index % 2 :: 2][: n // 2]
        return self._pass(np.concatenate([self._fill(easiest, n - len(others)), others]))

    def _fill(self, rows: Indices, count: int) -> Indices:
        """(count,) rows: whole passes over `rows` and a part of one."""
        return np.concatenate([self._pass(rows) for _ in range(-(-count // len(rows)))])[:count]

    def _pass(self, rows: Indices) -> Indices:
        return self.rng.permutation(rows) if self.shuffle else rows


def by_difficulty(rows: Indices, losses: NDArray[np.float64]) -> Indices:
    """`rows` (n,) from the easiest to the hardest, by a reference model's `losses` (n,); of equals the first first."""
    return rows[np.argsort(losses, kind="stable")]
