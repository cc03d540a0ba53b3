"""The buffers of a perceptron's passes over sparse rows, whose first layer multiplies what is filled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models._architecture import Layer
from cooldown.objectives.models._workspace import Workspace
from cooldown.objectives.problem import Indices, Parameters


class Filled(NamedTuple):
    """Which columns of the features the last batch of each of R replicates fills: all others have no gradient.

    columns: (R, most), of which the first `counts` (R,) are meant. width: H, of the first layer.
    """

    columns: NDArray[np.int64]
    counts: NDArray[np.int64]
    width: int


class SparseWorkspace(Workspace):
    """A `Workspace` whose rows are a CSR array. filled: see `Filled`; that of the last gradient."""

    filled: Filled

    def _bind_inputs(self, first: Layer, outputs: Parameters, delta: Parameters) -> None:
        replicates, rows, width = outputs.shape
        lengths = np.sort(np.diff(self.X.indptr))[::-1]
        most = min(int(lengths[:rows].sum()), first.inputs)
        self.filled = Filled(np.zeros((replicates, most), np.int64), np.zeros(replicates, np.int64), width)
        self._cells = self.X.indptr.astype(np.int64), self.X.indices.astype(np.int64), self.X.data
        self._is_filled = np.zeros(first.inputs, bool)
        self._outputs, self._delta = outputs, delta
        # All that no batch fills stays zero.
        self.gradient[:] = 0

    def enter(self, indices: Indices) -> None:
        """The first layer's products for the rows `indices` (R, B), before biases."""
        from cooldown.objectives.models import sparse_kernels

        sparse_kernels.forward(*self._cells, indices, self.theta, self._outputs)

    def leave(self, indices: Indices) -> None:
        """The gradient of the first layer's weights."""
        from cooldown.objectives.models import sparse_kernels

        columns, counts, _ = self.filled
        sparse_kernels.backward(*self._cells, indices, self._delta, self.gradient, columns, counts, self._is_filled)
