"""The errors of trained perceptrons in the units of a regression's target."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models.mlp import EVALUATION_ROWS, MLP
from cooldown.objectives.problem import Indices, Parameters, TargetUnits
from cooldown.objectives.records import Errors


def target_errors(model: MLP, theta: Parameters, indices: Indices, units: TargetUnits) -> list[Errors]:
    """The errors of each of R parameter vectors `theta` (R, size) on the rows `indices` (m,), at least one.

    model: one for "squared_error", whose targets were standardized as `units` says.
    """
    X, _ = model.in_precision(theta.dtype)
    chunks: list[NDArray[Any]] = [
        model.predict(theta, X[indices[start : start + EVALUATION_ROWS]])
        for start in range(0, len(indices), EVALUATION_ROWS)
    ]
    outputs = np.concatenate(chunks, axis=1)
    return [units.errors(of_replicate, model.y[indices]) for of_replicate in outputs]
