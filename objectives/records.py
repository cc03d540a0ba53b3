"""The record of a training run: `Curve`, the per-epoch record of one replicate, and `Outcome`, how it ended; and
`Reference`, the record of a predictor beside the arms.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Outcome(Enum):
    """How a replicate's training ended; `.message` explains it."""

    COMPLETED = ("completed", "trained for all its epochs")
    STOPPED = (
        "stopped",
        "stopped early: no better held-out loss within its patience, so that the best parameters are kept, or as a "
        "callback asked",
    )
    DIVERGED = ("diverged", "diverged: its parameters or its loss were no longer finite")
    PRUNED = ("pruned", "stopped by the pruner: its config never reached the limit of its study")

    def __new__(cls, code: str, message: str) -> "Outcome":
        """Make the code the enum's value, so that `Outcome("diverged")` reads it back from a ledger."""
        member = object.__new__(cls)
        member._value_ = code
        member.message = message
        return member

    message: str


class Errors(NamedTuple):
    """Errors of a regression in the target's own units: root mean squared and mean absolute, over rows and targets."""

    rmse: float
    mae: float


NO_ERRORS = Errors(float("nan"), float("nan"))
"""Of a classification, and of a model of the user's own, whose units are not known."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The record of one replicate: one config trained with one seed.

    train_loss: (E,) mean mini-batch loss of each epoch, computed before each batch's update.
    held_out_loss: (E,) mean loss on the held-out rows after each epoch; (1,), of the final parameters only, if
        they were measured once, at the end.
    held_out_score: accuracy or R², of the same shape; NaN for a model that has no score.
    learning_rate: (E,) the rate of each epoch's last update as executed, including cuts by `plateau`; (0,) for a
        record of an older version, which did not keep it.
    kept_epoch: the epoch (from 1) whose parameters the run ended with: its last, or after early stopping its best; 0
        for a diverged run. A pruned run ends with those of the epoch it reached.
    A replicate that diverged, stopped early or was pruned has no entries for later epochs; none are filled in.
    uninformed_loss: the baseline: held-out loss of the predictor of class frequencies or of the mean target.
    uninformed_score: that predictor's held-out score; NaN if the model has none, or in an older record.
    gradient_evaluations: number of single-row gradients, the unit of cost. updates: parameter updates.
    seconds: wall time, the replicate's share of its population's.
    update_loss: (updates,) loss of each update's mini-batch before it, up to the last complete epoch; (0,) unless asked
        for by `train(every_update=True)`. The ledger does not keep it.
    errors: held-out errors of the final parameters; where the loss is capped, those of the mean target. NaN for a
        classification, and in an older record.
    """

    seed: int
    outcome: Outcome
    train_loss: NDArray[np.float64]
    held_out_loss: NDArray[np.float64]
    held_out_score: NDArray[np.float64]
    learning_rate: NDArray[np.float64]
    kept_epoch: int
    uninformed_loss: float
    gradient_evaluations: int
    updates: int
    seconds: float
    uninformed_score: float = float("nan")
    errors: Errors = NO_ERRORS
    update_loss: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def final_loss(self) -> float:
        """Held-out loss of the final parameters, capped at `uninformed_loss`, which also counts for a diverged run.

        For a pruned run it is the loss at the epoch it reached: not comparable with that of a complete run.
        """
        if self.outcome is Outcome.DIVERGED:
            return self.uninformed_loss
        return min(float(self.held_out_loss[self._kept]), self.uninformed_loss)

    @property
    def capped(self) -> bool:
        """Whether `final_loss` is the cap rather than the replicate's own loss."""
        return self.outcome is Outcome.DIVERGED or float(self.held_out_loss[self._kept]) > self.uninformed_loss

    @property
    def final_score(self) -> float:
        """Held-out score of the final parameters, for a diverged run `uninformed_score`; NaN without a score."""
        return self.uninformed_score if self.outcome is Outcome.DIVERGED else float(self.held_out_score[self._kept])

    @property
    def _kept(self) -> int:
        """The index of the final parameters' measurements."""
        return self.kept_epoch - 1 if self.held_out_loss.size == self.train_loss.size else -1

    @property
    def best_epoch(self) -> int:
        """The epoch (from 1) with the lowest held-out loss; 0 if a diverged run finished none."""
        return int(np.argmin(self.held_out_loss)) + 1 if self.held_out_loss.size else 0

    def capped_losses(self, epochs: int) -> NDArray[np.float64]:
        """(epochs,) held-out losses as reported: capped; after an early stop that of the kept parameters, after a
        divergence the cap itself. After pruning the last loss is repeated, which is not what the run would have
        reached.
        """
        losses = np.full(epochs, self.final_loss)
        measured = self.held_out_loss
        losses[: measured.size] = np.minimum(measured, self.uninformed_loss)
        return losses


@dataclass(frozen=True)
class Reference:
    """What a predictor that nobody tunes reaches, trained and measured on the rows of an evaluation.

    loss: in the unit of the arms', capped like theirs at the baseline loss. score: accuracy or R²; NaN if unknown.
    errors: as in `Curve`. seconds: wall time of its training.
    """

    name: str
    loss: float
    score: float
    errors: Errors
    seconds: float


def mean_final_loss(curves: Sequence[Curve]) -> float:
    """Mean of the capped final losses."""
    return math.fsum(curve.final_loss for curve in curves) / len(curves)


def was_pruned(curves: Sequence[Curve]) -> bool:
    """Whether the replicates of one trial were stopped by the pruner; some may have diverged before that."""
    return any(curve.outcome is Outcome.PRUNED for curve in curves)


def intermediate_losses(curves: Sequence[Curve], epochs: int) -> NDArray[np.float64]:
    """(epochs,) mean capped validation loss over one trial's replicates; for a pruned trial up to its last epoch."""
    trained = max(curve.train_loss.size for curve in curves) if was_pruned(curves) else epochs
    return np.asarray(np.mean([curve.capped_losses(epochs) for curve in curves], axis=0))[:trained]
