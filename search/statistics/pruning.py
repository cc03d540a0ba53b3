"""When a trial is stopped before its end: limits of its loss from the losses of earlier trials.

Both rules hold a trial's best loss so far against a limit and stop it where it is above. Losses, (trials, epochs), are
a trial's mean capped held-out losses over its seeds after each epoch, NaN after the epoch that a pruned trial got to.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

STARTUP_FRACTION = Fraction(1, 3)
"""The share of the epochs in which the median rule stops nobody: a warm-up is slow by design."""

STARTUP_TRIALS = 5
"""Trials trained to their end before the median rule stops any: Optuna's default."""

REDUCTION_FACTOR = 3
"""One in so many trials goes on from a rung."""

RUNGS = (Fraction(1, 9), Fraction(1, 3))
"""Where successive halving compares trials, in shares of the epochs. Bracket b leaves out the first b of them."""

BRACKET_WEIGHTS = (9, 5, 3)
"""How often a trial is in which bracket: Hyperband's allocation to three, ⌈3 · 3ˢ / (s + 1)⌉ with s = 2, 1, 0."""


def median_limits(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(epochs,) the median of the trials that were trained to their end; infinite in the first third of the epochs, and
    everywhere while there are fewer than 5 such trials.

    losses: (trials, epochs) of earlier trials. A trial's best so far is held against the others' losses at that epoch,
    which is Optuna's MedianPruner; Golovin et al. 2017 (Vizier) take the others' running averages.
    """
    epochs = losses.shape[1]
    limits = np.full(epochs, np.inf)
    completed = losses[np.isfinite(losses[:, -1])]
    if len(completed) >= STARTUP_TRIALS:
        startup = math.ceil(epochs * STARTUP_FRACTION)
        limits[startup:] = np.median(completed[:, startup:], axis=0)
    return limits


def rungs(epochs: int, bracket: int) -> tuple[int, ...]:
    """After which epochs (from 1) trials of `bracket` (0, 1 or 2) are compared; never after the last of `epochs`."""
    places = {math.ceil(epochs * share) for share in RUNGS[bracket:]}
    return tuple(sorted(places - {epochs}))


def halving_limits(losses: NDArray[np.float64], bracket: int) -> NDArray[np.float64]:
    """(epochs,) the worst best-so-far loss with which a trial of `bracket` goes on from each rung, infinite elsewhere.

    It goes on if it is among the best max(⌊(m + 1) / 3⌋, 1) of itself and the m earlier trials that reached the rung,
    whether or not they were stopped there; the first to reach it goes on.

    losses: (trials, epochs) of earlier trials of that bracket. Source: Li et al. 2017 (Hyperband) with the asynchronous
    rungs of Li et al. 2020 (ASHA), as in Optuna's SuccessiveHalvingPruner told the best losses so far.
    """
    limits = np.full(losses.shape[1], np.inf)
    for rung in rungs(len(limits), bracket):
        best = losses[:, :rung].min(axis=1)
        reached = np.sort(best[np.isfinite(best)])
        if reached.size:
            limits[rung - 1] = reached[max((reached.size + 1) // REDUCTION_FACTOR, 1) - 1]
    return limits


def pruned_after(losses: NDArray[np.float64], limits: NDArray[np.float64], trained: int) -> int | None:
    """After which epoch (from 1) a trial with these losses (epochs,) is stopped by these limits (epochs,).

    None where it never is. trained: the epochs of its last replicate to end: what is over cannot be stopped.
    """
    above = np.minimum.accumulate(losses) > limits
    above[trained - 1 :] = False
    return int(above.argmax()) + 1 if above.any() else None
