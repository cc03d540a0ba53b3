"""`Problem`: the rows that one training run may use, and what trains on them: a `Model`, or a `Loop` of the user's own.

A search's problem holds training and validation rows; an evaluation's holds train + validation rows and the test rows.
Rows that a run must not use are not in its problem.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.records import NO_ERRORS, Errors

Parameters = NDArray[Any]
Indices = NDArray[np.int64]


@runtime_checkable
class Model(Protocol):
    """What can be trained: any object with these three members. It holds its own data.

    A model may also have `evaluate(theta (R, P), indices (n,)) -> (losses (R,), scores (R,))`, which measures held-out
    rows without computing gradients; and `trainable`, the number of its parameters where these are only the first of
    its `size` columns. Rules do not change the others, such as running statistics; `loss_and_gradient` may. `matrices`
    are the weight matrices among its parameters, a tuple of `Matrix`, for rules that treat them as such.
    """

    @property
    def size(self) -> int:
        """P, the number of parameters of one replicate."""

    def init(self, rng: np.random.Generator) -> Parameters:
        """(P,) initial parameters, from `rng` alone."""

    def loss_and_gradient(self, theta: Parameters, indices: Indices) -> tuple[Parameters, Parameters]:
        """Mean loss and its gradient for R replicates, each on its own batch.

        theta: (R, P). indices: (R, B) rows of the model's data. Returns losses (R,) and gradients (R, P), which may be
        the model's buffers, valid until the next call. It must not modify `theta` and `indices`.
        """


@runtime_checkable
class Stochastic(Model, Protocol):
    """A model that draws random numbers of its own while it is trained, as for dropout in a user's network."""

    @property
    def draws(self) -> bool:
        """Whether it does; it then gets the seeds of what it draws."""

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, seeds: NDArray[np.int64] | None = None
    ) -> tuple[Parameters, Parameters]:
        """As for any model. seeds: (R,) of what each replicate draws in this update; None for 0."""


@runtime_checkable
class Network(Model, Protocol):
    """A model that supports the strategies for networks: initialization, dropout, batch normalization."""

    @property
    def hidden_units(self) -> int:
        """H, the number of hidden units in all layers."""

    @property
    def trainable(self) -> int:
        """P, the number of parameters: the columns of a gradient."""

    def with_batch_norm(self) -> "Network":
        """The same network with batch normalization in its hidden layers."""

    def init(self, rng: np.random.Generator, initialization: str = "auto") -> Parameters:
        """(size,) initial parameters, drawn with the scheme `initialization`."""

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, dropout: Parameters | None = None
    ) -> tuple[Parameters, Parameters]:
        """As for any model. dropout: (R, B, H) factors of the hidden activations."""


@dataclass(frozen=True, eq=False)
class Loop:
    """A training loop of the user's own, in place of a model: it trains one replicate a call, with a model of its own.

    function: called with an `objectives.runs.Run`; None where the runs are handed to the user's program instead.
    data: arrays (n, …), of which a run gets its rows; None if it gets their indices.
    """

    function: Callable[[Any], None] | None
    data: tuple[NDArray[Any], NDArray[Any]] | None = None


@dataclass(frozen=True, eq=False)
class TargetUnits:
    """How a regression's targets (n, K) were standardized, by the training rows: (target − mean) / scale.

    mean: (K,). scale: (K,), or (1,) if all have one. uninformed: the held-out errors of the mean target. log: whether
    the logarithms of the targets were.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    uninformed: Errors = NO_ERRORS
    log: bool = False

    def errors(self, outputs: NDArray[Any], targets: NDArray[np.float64]) -> Errors:
        """The errors of predictions (m, K) of targets (m, K), both standardized."""
        difference = self.restored(outputs) - self.restored(targets)
        return Errors(float(np.sqrt(np.square(difference).mean())), float(np.abs(difference).mean()))

    def restored(self, standardized: NDArray[Any]) -> NDArray[np.float64]:
        """Standardized targets (m, K) in their own units."""
        numbers = np.asarray(standardized, np.float64) * self.scale + self.mean
        return np.asarray(np.exp(numbers) if self.log else numbers)


@dataclass(frozen=True, eq=False)
class Problem:
    """A model, or a loop, with the rows to train on and the rows to measure on.

    train: (n,) and held_out: (m,) row indices into the model's data. uninformed_loss: the baseline loss, which is
    the held-out loss of the predictor of class frequencies or of the mean target: reported losses are capped at it, and
    a diverged run has it. inf for a loop whose baseline is not known: a run's first loss then takes its place.
    uninformed_score: the score of that predictor, which a diverged run has; NaN if unknown.
    units: how the targets were standardized; None for a classification, and if that is not known.
    monitor: (k,) rows that a run which depends on its validation loss watches; where they are among `train`, it is not
    trained on them. None if it watches the held-out rows, as in a search, where these are the validation rows.
    tests: whether the held-out rows are test rows.
    """

    model: Model | Loop
    train: Indices
    held_out: Indices
    uninformed_loss: float
    monitor: Indices | None = None
    uninformed_score: float = float("nan")
    units: TargetUnits | None = None
    tests: bool = False

    @property
    def differentiable(self) -> Model:
        """The model, for a run that needs its gradients; raises InputError for a loop, which keeps them to itself."""
        if isinstance(self.model, Loop):
            raise InputError("a loop of the user's own trains its model itself: its gradients are not known")
        return self.model

    @cached_property
    def reacting(self) -> "Problem":
        """The problem of a run that depends on its validation loss: `train` without the watched rows."""
        if self.monitor is None:
            return self
        return replace(self, train=self.train[~np.isin(self.train, self.monitor)])

    @property
    def watched(self) -> Indices:
        """The rows whose loss such a run depends on."""
        return self.held_out if self.monitor is None else self.monitor


@dataclass(frozen=True)
class Matrix:
    """The columns of θ from `start` on that are a weight matrix (inputs, outputs), row by row; of its transpose if
    `transposed`, as PyTorch stores it.
    """

    start: int
    inputs: int
    outputs: int
    transposed: bool = False

    def of(self, columns: NDArray[Any]) -> NDArray[Any]:
        """The matrix (inputs, outputs) as a view into `columns` (P,)."""
        part = columns[self.start : self.start + self.inputs * self.outputs]
        return part.reshape(self.outputs, self.inputs).T if self.transposed else part.reshape(self.inputs, self.outputs)


def matrices(model: Model) -> tuple[Matrix, ...]:
    """The weight matrices that a model declares by an attribute `matrices`; none if it has no such attribute."""
    declared = getattr(model, "matrices", ())
    usable = isinstance(declared, tuple) and all(isinstance(each, Matrix) for each in declared)
    return declared if usable else ()


def trainable(model: Model) -> int:
    """P, the number of parameters of one replicate: the columns of a gradient."""
    count = getattr(model, "trainable", model.size)
    # A user's model may have an attribute of this name that means something else.
    is_count = isinstance(count, int) and not isinstance(count, bool) and 0 < count <= model.size
    return count if is_count else model.size


def evaluate(model: Model, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Losses (R,) and scores (R,) of R parameter vectors on the rows `indices` (m,), in float64.

    Scores are NaN for a model without `evaluate`.
    """
    measure = getattr(model, "evaluate", None)
    if measure is not None:
        losses, scores = measure(theta, indices)
        return np.asarray(losses, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    rows = np.broadcast_to(indices, (len(theta), len(indices)))
    losses = np.array(model.loss_and_gradient(theta, rows)[0], dtype=np.float64)
    return losses, np.full(len(theta), np.nan)
