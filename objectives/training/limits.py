"""Where a config is stopped before its end: limits of the loss, epoch by epoch, and who exceeds them.

What is held against a limit is a config's best so far: the lowest of its mean losses over the seeds up to that epoch. A
warm restart or a rate that is still high makes a loss rise for a while by design; that alone stops nobody.
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
    """The limits (configs, epochs) of `train`; raises InputError for any that it cannot use."""
    if not every_epoch:
        raise InputError("train(every_epoch=False, limits=...): limits need the held-out loss after every epoch")
    try:
        array = np.asarray(limits, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"train(limits=...): should be numbers (configs, epochs), got {limits!r:.80}") from error
    epochs = sorted({config.epochs for config in configs})
    if len(epochs) > 1:
        raise InputError(f"train(limits=...): all configs should have the same number of epochs, got {epochs}")
    shape = (len(configs), *(epochs or array.shape[1:]))
    if array.ndim != 2 or array.shape != shape:
        raise InputError(f"train(limits=...): should have the shape (configs, epochs) = {shape}, got {array.shape}")
    if np.isnan(array).any():
        raise InputError("train(limits=...): a limit is a number, infinite where nothing is pruned, got NaN")
    return array


class Limits:
    """The limits of a population, and the best that its configs have reached.

    limits: (configs, epochs) losses, infinite where nothing is pruned. The last epoch's are never asked for: a run that
    has got there is done.
    """

    def __init__(self, limits: NDArray[np.float64]) -> None:
        self.limits = limits
        self.best = np.full(len(limits), np.inf)

    def exceeded(self, epoch: int, losses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whose config (R,) has never been as good as its limit of `epoch` (from 0).

        losses: (R,) capped losses after that epoch, config by config, equally many seeds each. Called once per epoch.
        """
        by_config = losses.reshape(len(self.limits), -1)
        self.best = np.minimum(self.best, mean_losses(by_config.T))
        return np.repeat(self.best > self.limits[:, epoch], by_config.shape[1])
