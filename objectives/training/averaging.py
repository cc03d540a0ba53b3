"""`Average`: the average of a population's parameters over its last updates or epochs, which is then what is measured
and kept.

It reads the parameters and changes none of them: training goes on as without it.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.strategies import first_averaged


class Average:
    """For R replicates with P parameters, whose `configs` all have the same `averaging`.

    mean: (R, P) the averages so far. count: (R,) how many parameter vectors are in each. every_update: whether those
    after every update are, or those after every epoch.
    """

    def __init__(self, configs: Sequence[TrainConfig], theta: NDArray[Any]) -> None:
        self.every_update = configs[0].averaging == "ema"
        self._decay = np.array([[config.averaging_decay] for config in configs], theta.dtype)
        self._first_epoch = np.array([first_averaged(config.epochs, config.averaging_share) for config in configs])
        self.mean, self.count = np.zeros_like(theta), np.zeros(len(theta), np.int64)

    def after_update(self, theta: NDArray[Any]) -> None:
        """Take in the parameters (R, P) after an update; the first ones are the average, as in torch."""
        if self.every_update:
            moved = self._decay * self.mean + (1 - self._decay) * theta
            self.mean = np.where((self.count > 0)[:, None], moved, theta)
            self.count += 1

    def after_epoch(self, epoch: int, theta: NDArray[Any]) -> None:
        """Take in the parameters (R, P) after `epoch` (from 0)."""
        if not self.every_update:
            averaged = epoch >= self._first_epoch
            self.count[averaged] += 1
            self.mean[averaged] += (theta - self.mean)[averaged] / self.count[averaged, None].astype(theta.dtype)

    def of(self, theta: NDArray[Any]) -> NDArray[Any]:
        """(R, P) the averages; `theta` itself where nothing has been averaged yet."""
        return np.where((self.count > 0)[:, None], self.mean, theta)

    def forget(self, replicates: NDArray[np.bool_]) -> None:
        """Begin anew for the `replicates` (R,)."""
        self.mean[replicates], self.count[replicates] = 0, 0

    def kept(self, kept: NDArray[np.bool_]) -> "Average":
        """A copy with the replicates `kept` (R,) alone."""
        others = copy.copy(self)
        for name in ("_decay", "_first_epoch", "mean", "count"):
            setattr(others, name, getattr(self, name)[kept])
        return others
