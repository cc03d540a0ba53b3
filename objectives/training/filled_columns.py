"""`FilledUpdate`: the update of a rule that leaves alone what has no gradient, on sparse rows.

The weights of columns that a batch does not fill have no gradient. A rule that is `idle_without_gradient` changes
neither them nor their state, so that only the others are handed to its kernel, with the bits of an update of all.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.scratch import Scratch

MUCH = 4
"""Where a batch may fill more than one column in so many, all are updated, which is then quicker."""


def leaves_alone(rule: Optimizer, model: MLP, configs: Sequence[TrainConfig]) -> bool:
    """Whether updates of `rule` on `model` change nothing but what a batch fills, for all of these configs."""
    if not rule.idle_without_gradient or not is_sparse(model.X):
        return False
    # These give a gradient to every weight; simulated workers hand over gradients of other batches.
    return not any(config.l2 or config.gradient_noise or config.asynchronous for config in configs)


class FilledUpdate:
    """Called like the kernel of a rule (`fusion.fused`), right after the gradient of `model` was computed."""

    def __init__(self, update: Callable[..., None], model: MLP) -> None:
        self._update, self._model, self._scratch = update, model, Scratch()
        first = model.layers[0]
        self._end = first.inputs * first.outputs

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
    ) -> None:
        """One update in place."""
        from cooldown.objectives.models import sparse_kernels as kernels

        filled = self._model.filled
        assert filled is not None
        columns, counts, width = filled
        if MUCH * columns.shape[1] > self._model.layers[0].inputs:
            self._update(theta, gradient, state, memory, l2, rates, step, since, hyperparameters)
            return
        place = self._end, width, columns, counts
        shape = len(theta), gradient.shape[1] - self._end + int(counts.max()) * width
        packed = self._scratch.array("packed", (len(state) + 2, *shape), theta.dtype)
        for source, part in zip((theta, gradient, *state), packed, strict=True):
            kernels.pack(source, *place, part)
        self._update(packed[0], packed[1], packed[2:], memory, l2, rates, step, since, hyperparameters)
        for part, target in zip(packed[2:], state, strict=True):
            kernels.unpack(part, *place, target)
        kernels.unpack(packed[0], *place, theta)
