"""`Watch`: a population's best parameters so far, and which replicates have not improved within their patience."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


class Watch:
    """For R replicates with P parameters.

    stop_after, restart_after: (R,) evaluations without a new best after which a replicate stops, or restarts from its
    best parameters; inf for never. A restart resets the count for the next restart, but not for a stop. factors: (R,)
    factors of the rate at a restart. theta: (R, P) initial parameters.
    """

    def __init__(
        self,
        stop_after: NDArray[np.float64],
        restart_after: NDArray[np.float64],
        factors: NDArray[np.float64],
        theta: NDArray[Any],
    ) -> None:
        self.stop_after, self.restart_after, self.factors = stop_after, restart_after, factors
        self.best_loss = np.full(len(theta), np.inf)
        self.best_theta = theta.copy()
        self.best_epoch = np.zeros(len(theta), np.int64)
        self._since_best = np.zeros(len(theta), np.int64)
        self._since_restart = np.zeros(len(theta), np.int64)

    def see(self, epoch: int, losses: NDArray[np.float64], theta: NDArray[Any]) -> tuple[Flags, Flags]:
        """Record the losses (R,) of `theta` (R, P) after `epoch` (from 1); returns which stop (R,) and restart (R,)."""
        better = losses < self.best_loss
        self.best_loss[better], self.best_epoch[better] = losses[better], epoch
        self.best_theta[better] = theta[better]
        for waited in (self._since_best, self._since_restart):
            waited += 1
            waited[better] = 0
        stopping = self._since_best >= self.stop_after
        restarting = ~stopping & (self._since_restart >= self.restart_after)
        self._since_restart[restarting] = 0
        return stopping, restarting

    def keep(self, kept: Flags) -> None:
        """Remove all replicates but `kept` (R,)."""
        for name, array in vars(self).items():
            setattr(self, name, array[kept])
