"""`Problem`: what one training run gets to see, and `Model`, what it trains.

A search's problem holds training and validation rows; an evaluation's holds train + validation rows and the test rows.
The rows that a run must not see are not in its problem.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Parameters = NDArray[Any]
Indices = NDArray[np.int64]


@runtime_checkable
class Model(Protocol):
    """What can be trained. Any object with these three members will do; it holds its own data.

    Beside them a model may have `evaluate(theta (R, P), indices (n,)) -> (losses (R,), scores (R,))`, used to measure
    held-out rows without computing gradients.
    """

    @property
    def size(self) -> int:
        """P, the number of parameters of one replicate."""

    def init(self, rng: np.random.Generator) -> Parameters:
        """(P,) initial parameters, from `rng` alone."""

    def loss_and_gradient(self, theta: Parameters, indices: Indices) -> tuple[Parameters, Parameters]:
        """Mean loss and its gradient for R replicates, each on a batch of its own.

        theta: (R, P). indices: (R, B) rows of the model's data. Returns losses (R,) and gradients (R, P), which may be
        the model's own buffers and are valid until the next call. It leaves `theta` and `indices` as they are.
        """


@runtime_checkable
class Network(Model, Protocol):
    """A model with a place for the strategies of a network: initialization, dropout, batch normalization.

    Of its `size` columns the first `trainable` are parameters; the rest is what it keeps beside them, such as running
    statistics: no rule touches these, and `loss_and_gradient` may write them.
    """

    @property
    def hidden_units(self) -> int:
        """H, the number of hidden units in all layers."""

    @property
    def trainable(self) -> int:
        """P, the number of parameters: the columns of a gradient."""

    def with_batch_norm(self) -> "Network":
        """The same network with batch normalization in its hidden layers."""

    def init(self, rng: np.random.Generator, initialization: str = "auto") -> Parameters:
        """(size,) initial parameters, drawn in the way called `initialization`."""

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, dropout: Parameters | None = None
    ) -> tuple[Parameters, Parameters]:
        """As for any model; dropout: (R, B, H) what each hidden activation is multiplied by."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A model with the rows to train on and the rows to measure on.

    train: (n,) and held_out: (m,) row indices into the model's data. uninformed_loss: the held-out loss of the
    predictor that knows only class frequencies or the mean target: what a diverged run scores and where losses are
    capped.
    monitor: rows among `train` that a run which reacts to its progress watches instead of training on them. None where
    it may watch the held-out rows: in a search, whose held-out rows are the validation rows.
    """

    model: Model
    train: Indices
    held_out: Indices
    uninformed_loss: float
    monitor: Indices | None = None

    @cached_property
    def reacting(self) -> "Problem":
        """The problem of a run that reacts: it does not train on what it watches."""
        if self.monitor is None:
            return self
        return replace(self, train=self.train[~np.isin(self.train, self.monitor)])

    @property
    def watched(self) -> Indices:
        """The rows that a run which reacts looks at."""
        return self.held_out if self.monitor is None else self.monitor


def evaluate(model: Model, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses (R,) and scores (R,) of R parameter vectors on the rows `indices` (m,), in float64.

    Scores are NaN for a model without an `evaluate` of its own.
    """
    own = getattr(model, "evaluate", None)
    if own is not None:
        losses, scores = own(theta, indices)
        return np.asarray(losses, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    rows = np.broadcast_to(indices, (len(theta), len(indices)))
    losses = np.array(model.loss_and_gradient(theta, rows)[0], dtype=np.float64)
    return losses, np.full(len(theta), np.nan)
