"""`MatrixUpdate`: the update of a rule that works on the weight matrices of a model before its formula."""

from typing import Any

import numpy as np

# Numba's matrix products call SciPy's BLAS, which must be loaded before the engine looks up the thread pools to limit.
import scipy.linalg.cython_blas  # noqa: F401
from numpy.typing import NDArray

from cooldown.objectives.fusion import fused, fused_matrices
from cooldown.objectives.models.compiled_pass import Rule
from cooldown.objectives.models.pass_kernel import OfRule
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.problem import Model, matrices, trainable


class MatrixUpdate:
    """Called like the kernel of a rule without matrices (`fusion.fused`)."""

    def __init__(self, rule: Optimizer, model: Model, dtype: np.dtype[Any]) -> None:
        declared = matrices(model)
        spans = [(each.start, each.inputs, each.outputs, each.transposed) for each in declared]
        self._spans = np.array(spans, np.int64).reshape(-1, 4)
        self._in_matrix = np.zeros(trainable(model), dtype)
        for each in declared:
            each.of(self._in_matrix)[:] = 1
        self._delays = len(rule.delays)
        self._work_out, self._update = fused_matrices(rule, dtype.name), fused(rule, dtype.name)

    def for_passes(self, optional: list[NDArray[Any]]) -> Rule:
        """The rule as compiled passes call it. optional: what its formula takes of one replicate, 0 where it is in time
        (`Optimizer.in_time`).
        """
        direction, in_matrix = optional[self._delays :]
        in_matrix[:] = self._in_matrix
        return Rule(self._update, OfRule(tuple(optional), self._spans, direction), self._work_out)

    def __call__(
        self,
        theta: NDArray[Any],
        gradient: NDArray[Any],
        state: NDArray[Any],
        memory: NDArray[np.float64],
        l2: NDArray[Any],
        rates: NDArray[Any],
        step: int,
        since: NDArray[np.int64],
        hyperparameters: NDArray[Any],
        *late: NDArray[Any],
    ) -> None:
        """One update in place. late: the rule's delays; what follows them is replaced."""
        direction = np.zeros_like(gradient)
        self._work_out(theta, gradient, state, l2, rates, step, since, hyperparameters, self._spans, direction)
        of_rule = late[: self._delays]
        self._update(
            theta,
            gradient,
            state,
            memory,
            l2,
            rates,
            step,
            since,
            hyperparameters,
            *of_rule,
            direction,
            self._in_matrix,
        )
