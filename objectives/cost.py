"""What a run costs, epoch by epoch: gradient evaluations, of which one row's gradient is 1, and simulated time."""

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import Curve, Outcome

REFERENCE_EPOCHS = 10
"""Epochs of the reference model, whose losses tell a curriculum which rows are easy."""


def passes_before(config: TrainConfig) -> int:
    """Passes over the training rows that a run of `config` costs before its own first pass: those of a curriculum's
    reference model.
    """
    return 0 if config.curriculum == "none" else REFERENCE_EPOCHS + 1


def passes(config: TrainConfig, epochs: int) -> int:
    """Passes over the training rows, in gradient evaluations, that the first `epochs` epochs of a run cost."""
    return passes_before(config) + config.gradients_per_update * epochs


def epochs_paid(curve: Curve) -> int:
    """How many epochs a run has cost; a diverged run has no entry for the epoch in which it diverged."""
    return len(curve.train_loss) + (curve.outcome is Outcome.DIVERGED)


def rows_per_epoch(curve: Curve, config: TrainConfig) -> int:
    """The rows that a run of `config` was trained on."""
    return curve.gradient_evaluations // passes(config, epochs_paid(curve))


def evaluations_in(curve: Curve, config: TrainConfig, epochs: int) -> int:
    """Gradient evaluations of so many further epochs of a run of `config`."""
    return rows_per_epoch(curve, config) * config.gradients_per_update * epochs


def evaluations_after(curve: Curve, config: TrainConfig) -> NDArray[np.int64]:
    """(epochs,) gradient evaluations up to the end of each epoch, as if the run had not ended early."""
    each = [passes(config, epoch) for epoch in range(1, config.epochs + 1)]
    return rows_per_epoch(curve, config) * np.array(each, np.int64)


def simulated(config: TrainConfig, starts: NDArray[np.int64], seed: int) -> tuple[NDArray[np.float64], ...]:
    """(epochs,) the time at the end of each epoch, in the mean time of a gradient, and (epochs,) the mean staleness of
    its gradients. Without an asynchronous method an update takes 1, and none is stale.

    starts: (epochs + 1,) the index of each epoch's first update, and their number, as in its plan.
    """
    events = config.events_of(int(starts[-1]), seed)
    return events.time[starts[1:] - 1], np.add.reduceat(events.staleness, starts[:-1]) / np.diff(starts)
