"""Pruning: limits of the loss for each epoch, and which configs exceed them.

A limit is compared with a config's best so far: the lowest of its mean losses over the seeds up to that epoch. After a
warm restart, or at a high rate, the loss may rise for a while by design; that alone prunes no config.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError


def mean_losses(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) means over the seeds of `losses` (seeds, n), correctly rounded: the order of the seeds does not matter."""
    return np.array([math.fsum(column) / len(losses) for column in losses.T.tolist()], np.float64)


def checked_limits(limits: ArrayLike, configs: Sequence[TrainConfig], every_epoch: bool) -> NDArray[np.float64]:
    """The limits (configs, epochs) of `train`; raises InputError for invalid ones."""
    if not every_epoch:
        raise InputError("train(every_epoch=False, limits=...): limits need the held-out loss after every epoch")
    try:
        array = np.asarray(limits, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"train(limits=...): must be numbers (configs, epochs), got {limits!r:.80}") from error
    epochs = sorted({config.epochs for config in configs})
    if len(epochs) > 1:
        raise InputError(f"train(limits=...): all configs must have the same number of epochs, got {epochs}")
    shape = (len(configs), *(epochs or array.shape[1:]))
    if array.ndim != 2 or array.shape != shape:
        raise InputError(f"train(limits=...): must have shape (configs, epochs) = {shape}, got {array.shape}")
    if np.isnan(array).any():
        raise InputError("train(limits=...): a limit must be a number, inf for no pruning, got NaN")
    return array


class Limits:
    """The limits of a population, and the best losses that its configs have reached.

    limits: (configs, epochs) losses, inf for no pruning. Those of the last epoch are not used, because the run is then
    complete.
    """

    def __init__(self, limits: NDArray[np.float64]) -> None:
        self.limits = limits
        self.best = np.full(len(limits), np.inf)

    def exceeded(self, epoch: int, losses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(R,) whether the replicate's config has never reached its limit of `epoch` (from 0).

        losses: (R,) capped losses after that epoch, config by config, equally many seeds each. Called once per epoch.
        """
        by_config = losses.reshape(len(self.limits), -1)
        self.best = np.minimum(self.best, mean_losses(by_config.T))
        return np.repeat(self.best > self.limits[:, epoch], by_config.shape[1])
