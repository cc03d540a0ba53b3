"""`standardized`: the targets of a regression in the scale of its training, and the way back."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.problem import TargetUnits


def standardized(
    targets: NDArray[np.float64], n: int, *, log: bool = False, shared: bool = False
) -> tuple[NDArray[np.float64], TargetUnits]:
    """Targets (rows, K), each centred and scaled to a variance of 1 over the first `n` rows, the training rows; and
    their units. All other rows are held out. log: whether the targets are logarithms of those in their own units.
    shared: whether all have one scale, by which their mean variance is 1.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(targets[:n])
    # The scaler's own scale is 1 where all training rows are equal.
    scale = np.sqrt(scaler.var_.mean(keepdims=True)) if shared and targets.shape[1] > 1 else scaler.scale_
    units, scaled = TargetUnits(scaler.mean_, scale, log=log), np.asarray((targets - scaler.mean_) / scale)
    if n == len(targets):
        return scaled, units
    return scaled, replace(units, uninformed=units.errors(np.zeros_like(scaled[n:]), scaled[n:]))
