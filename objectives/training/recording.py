"""`Recording`: measurements of a population's replicates during training, from which their curves are built."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.target_errors import target_errors
from cooldown.objectives.problem import Model
from cooldown.objectives.records import NO_ERRORS, Curve, Outcome
from cooldown.objectives.training.population import Population


class Recording:
    """Measurements of a population's replicates, epoch by epoch: (R, epochs), NaN where there is none.

    paid: (R,) gradient evaluations before the first update. every_epoch: whether each epoch is measured. theta, rates:
    as in `Fitted`. seconds: wall time of each replicate.
    """

    def __init__(self, population: Population, paid: NDArray[np.int64]) -> None:
        self.paid, self.every_epoch, self.seconds = paid, True, 0.0
        self.problems = [population.problems[place] for place in population.problem_of]
        self.uninformed_loss = np.array([problem.uninformed_loss for problem in self.problems])
        self.replicates, self.starts = population.replicates, population.starts
        shape = len(self.replicates), population.epochs
        self.train_loss, self.held_out_loss, self.held_out_score, self.rate = (np.full(shape, np.nan) for _ in range(4))
        self.epochs_run, self.kept_epoch = np.zeros(shape[0], np.int64), np.zeros(shape[0], np.int64)
        self.diverged, self.stopped, self.pruned = (np.zeros(shape[0], bool) for _ in range(3))
        self.theta = np.full_like(population.theta, np.nan)
        self.rates = np.full_like(population.rates.T, np.nan)
        self.errors = [NO_ERRORS] * shape[0]
        # Nothing is kept of single updates unless `keep_updates` is called.
        self.update_loss = np.empty((shape[0], 0))

    def keep_updates(self) -> None:
        """Record the loss of every update, too."""
        self.update_loss = np.full((len(self.replicates), int(self.starts[-1])), np.nan)

    def trained(self, population: Population, epoch: int, losses: NDArray[np.float64]) -> None:
        """Record an epoch of training."""
        self.train_loss[population.alive, epoch] = losses
        if self.update_loss.size:
            of_epoch = slice(self.starts[epoch], self.starts[epoch + 1])
            self.update_loss[population.alive, of_epoch] = population.update_losses
        self.rate[population.alive, epoch] = population.rates[population.starts[epoch + 1] - 1]
        self.epochs_run[population.alive] = self.kept_epoch[population.alive] = epoch + 1

    def measured(self, population: Population, epoch: int) -> NDArray[np.float64]:
        """Measure and record the held-out rows; returns the losses (R,)."""
        losses, scores = population.measure("held_out")
        self.held_out_loss[population.alive, epoch] = losses
        self.held_out_score[population.alive, epoch] = scores
        return losses

    def ended(self, population: Population, epoch: int, ending: NDArray[np.bool_], finite: NDArray[np.bool_]) -> None:
        """Record the rates of those `ending` (R,) after `epoch`, and the parameters of those also `finite` (R,)."""
        updates = self.starts[epoch + 1]
        self.rates[population.alive[ending], :updates] = population.rates[:updates, ending].T
        self.theta[population.alive[ending & finite]] = population.reported[ending & finite]

    def measure_errors(self, model: Model) -> None:
        """Record the errors of the final parameters on the held-out rows, in the target's own units where it has some.

        model: the population's.
        """
        for problem in dict.fromkeys(self.problems):
            of_problem = np.array([each is problem for each in self.problems])
            if problem.units is None or not isinstance(model, MLP) or not len(problem.held_out):
                continue
            finite = np.flatnonzero(of_problem & ~self.diverged)
            measured = target_errors(model, self.theta[finite], problem.held_out, problem.units)
            for r, errors in zip(finite, measured, strict=True):
                self.errors[r] = errors

    def reported(self, epoch: int) -> NDArray[np.float64]:
        """(R,) losses after `epoch` (from 0), if all epochs are measured: the values of `Curve.capped_losses`."""
        at = np.where(self.epochs_run > epoch, epoch, self.kept_epoch - 1)
        losses = self.held_out_loss[np.arange(len(at)), at]
        losses[self.diverged] = self.uninformed_loss[self.diverged]
        return np.asarray(np.minimum(losses, self.uninformed_loss))

    def curves(self) -> list[Curve]:
        """One curve per replicate."""
        return [self._curve(r) for r in range(len(self.replicates))]

    def _curve(self, r: int) -> Curve:
        run = int(self.epochs_run[r])
        finite = run - int(self.diverged[r])
        held_out = slice(finite) if self.every_epoch else slice(run - 1, finite)
        problem, config = self.problems[r], self.replicates[r].config
        curve = Curve(
            seed=self.replicates[r].seed,
            outcome=self._outcome(r),
            train_loss=self.train_loss[r, :finite].copy(),
            held_out_loss=self.held_out_loss[r, held_out].copy(),
            held_out_score=self.held_out_score[r, held_out].copy(),
            learning_rate=self.rate[r, :finite].copy(),
            kept_epoch=0 if self.diverged[r] else int(self.kept_epoch[r]),
            uninformed_loss=problem.uninformed_loss,
            gradient_evaluations=run * len(problem.train) * config.gradients_per_update + int(self.paid[r]),
            updates=int(self.starts[run]),
            seconds=self.seconds,
            uninformed_score=problem.uninformed_score,
            update_loss=self.update_loss[r, : int(self.starts[finite])].copy(),
        )
        if problem.units is None:
            return curve
        return replace(curve, errors=problem.units.uninformed if curve.capped else self.errors[r])

    def _outcome(self, r: int) -> Outcome:
        if self.diverged[r]:
            return Outcome.DIVERGED
        if self.pruned[r]:
            return Outcome.PRUNED
        return Outcome.STOPPED if self.stopped[r] else Outcome.COMPLETED
