"""`Descent`: what all systems have in common: the order of rows, and rates that fall after each pass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.random_streams import generator


@dataclass(frozen=True, eq=False)
class Trained:
    """Parameters θ (d, K−1) after the last pass. seconds: from the first worker's begin to the last one's end. busiest:
    the seconds in which the busiest worker had a core: where workers have to take turns on one, less than if they ran
    at the same time and met in memory.
    """

    theta: NDArray[np.float64]
    seconds: float
    busiest: float


@dataclass(frozen=True)
class Descent:
    """passes over all rows, each in an order of its own, drawn from `seed`; the rate of the first is `rate`, and it is
    multiplied by `decay` after each pass. batch_size: rows per update of a worker.
    """

    rate: float
    passes: int = 20
    decay: float = 0.9
    batch_size: int = 1
    seed: int = 0

    @property
    def rates(self) -> NDArray[np.float64]:
        """(passes,) the rate of each pass."""
        return np.asarray(self.rate * self.decay ** np.arange(self.passes), np.float64)

    def order(self, n: int, number: int) -> NDArray[np.int64]:
        """(n,) the rows of pass `number` in their order; worker i of p takes each p-th of them from the i-th on."""
        return generator(self.seed, "order of rows", number).permutation(n)
