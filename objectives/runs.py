"""`Run`: one replicate that a training loop of the user's own trains: what it is to train, and what it reports.

A called loop (data/own_loop.py) gets one run a call, and is ended by `RunEnded`; a program that asks for its runs
(search/experiments/asking.py) gets one after another. Either way a run leaves the same `Curve` as a replicate of the
engine, under the same rules: losses are capped at the baseline, and a loss that is not finite ends the run.
"""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Loop, Problem
from cooldown.objectives.records import Curve, Outcome

if TYPE_CHECKING:
    import torch

Part = Literal["train", "held_out", "validation", "test"]
PARTS = ("train", "held_out", "validation", "test")


class RunEnded(Exception):  # noqa: N818
    """Raised by `Run.report` in a called loop, to leave it: the run has diverged, or its config was pruned."""


def end_if_over(run: "Run") -> None:
    """Leave the loop of a run that has diverged or was pruned."""
    if run.outcome is not None:
        raise RunEnded(run.outcome.message)


class Run:
    """One config to be trained with one seed, epoch by epoch.

    config: what to train; a loop follows what it can of it. seed: of everything random in the run. epochs: passes over
    the training rows. outcome: how the run was ended from outside, as diverged or pruned; None while it goes on.
    """

    def __init__(
        self,
        problem: Problem,
        config: TrainConfig,
        seed: int,
        every_epoch: bool = True,
        reported: Callable[["Run"], None] = lambda _: None,
    ) -> None:
        """every_epoch: whether all held-out losses are recorded, or only the last. reported: called after each report;
        it may set `outcome`, and wait or raise.
        """
        self.config, self.seed, self.epochs = config, int(seed), config.epochs
        self.outcome: Outcome | None = None
        self._problem = problem.reacting if config.reacts else problem
        self._every_epoch, self._reported = every_epoch, reported
        self._first_epoch = 0
        self._train_losses: list[float] = []
        self._held_out_losses: list[float] = []
        self._scores: list[float] = []
        self._started = time.perf_counter()

    @property
    def loop(self) -> Loop:
        """The loop that trains this run."""
        assert isinstance(self._problem.model, Loop)
        return self._problem.model

    def rows(self, part: Part) -> Any:
        """The rows of one part: their indices (n,), or of a task with data its `X[rows], y[rows]`.

        part: "train", and "held_out", the rows that losses and scores are reported of. These are the "validation" rows
        in a search and the "test" rows in an evaluation, and have that name too. An evaluation trains on the validation
        rows as well, unless an arm of the experiment depends on them, as by early stopping. Raises InputError for rows
        that this run must not use.
        """
        problem, measured = self._problem, "test" if self._problem.tests else "validation"
        rows = {"train": problem.train, "held_out": problem.held_out, measured: problem.held_out}
        if problem.monitor is not None:
            rows["validation"] = problem.monitor
        if part not in PARTS:
            raise unknown_name("part of the rows", part, PARTS)
        if part not in rows:
            why = (
                "an evaluation trains on the validation rows too" if problem.tests else "a search never sees test rows"
            )
            raise InputError(f"run.rows({part!r}): {why}; run.rows('held_out') are the rows to measure on")
        data = self.loop.data
        return rows[part].copy() if data is None else tuple(array[rows[part]] for array in data)

    @property
    def learning_rates(self) -> NDArray[np.float64]:
        """(epochs,) the mean learning rate of each epoch's updates, as the config's schedule plans them for as many
        rows: for a loop that takes one rate an epoch.
        """
        plan = self.config.plan(len(self._problem.train))
        rates = self.config.optimizer.hyperparameters["learning_rate"] * plan.multipliers
        return np.asarray(np.add.reduceat(rates, plan.starts[:-1]) / np.diff(plan.starts))

    def torch(
        self, parameters: Iterable[Any], updates_per_epoch: int
    ) -> "tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]":
        """The config's optimizer and scheduler for PyTorch: `TrainConfig.torch`."""
        return self.config.torch(parameters, updates_per_epoch)

    def report(self, epoch: int, *, train_loss: float, held_out_loss: float, score: float = float("nan")) -> bool:
        """Record an epoch; returns whether the run goes on to a next one.

        epoch: counted from 0 or from 1, each once and in order. train_loss: mean loss of the epoch's batches.
        held_out_loss, score: of `rows("held_out")` after the epoch. A loss that is not finite ends the run as diverged.
        In a called loop a run that is ended raises `RunEnded` here. Once it has ended, further reports are ignored.
        Raises InputError for another epoch, and for what is not a number.
        """
        if self.outcome is None:
            self._record(epoch, _number("train_loss", train_loss), _number("held_out_loss", held_out_loss), score)
        self._reported(self)
        return self.outcome is None and self.epochs_run < self.epochs

    def _record(self, epoch: int, train_loss: float, held_out_loss: float, score: float) -> None:
        if not self._train_losses and epoch == 1:
            self._first_epoch = 1
        due = self._first_epoch + self.epochs_run
        if epoch != due or self.epochs_run == self.epochs:
            what = f"the next epoch is {due}" if self.epochs_run < self.epochs else f"all {self.epochs} are reported"
            raise InputError(f"run.report(epoch={epoch!r}): epochs are reported once each, in order; {what}")
        self._train_losses.append(train_loss)
        self._held_out_losses.append(held_out_loss)
        self._scores.append(_number("score", score))
        if not np.isfinite([train_loss, held_out_loss]).all():
            self.outcome = Outcome.DIVERGED

    @property
    def epochs_run(self) -> int:
        """How many epochs have been reported, the one in which the run diverged included."""
        return len(self._train_losses)

    @property
    def baseline(self) -> float:
        """The loss at which all are capped: that of the task, or where it has none the run's first.

        Raises InputError if there is neither.
        """
        known = self._problem.uninformed_loss
        if np.isinf(known) and self._held_out_losses:
            known = self._held_out_losses[0]
        if not np.isfinite(known):
            raise InputError(
                "a run diverged in its first epoch, and there is no baseline loss that it could count with: give the "
                "task its uninformed_loss, the held-out loss of a predictor that has learned nothing"
            )
        return known

    def capped_loss(self, epoch: int) -> float:
        """The loss after `epoch` (from 0), as `Curve.capped_losses`; after the run's end, its last."""
        self._check_reported()
        if self.outcome is Outcome.DIVERGED and epoch >= self.epochs_run - 1:
            return self.baseline
        return min(self._held_out_losses[: epoch + 1][-1], self.baseline)

    def curve(self) -> Curve:
        """The record of the run, once its loop has ended; a loop that ended early has stopped it.

        Raises InputError if nothing was reported.
        """
        self._check_reported()
        run, diverged = self.epochs_run, self.outcome is Outcome.DIVERGED
        finite, first = run - diverged, 0 if self._every_epoch else run - 1
        return Curve(
            seed=self.seed,
            outcome=self.outcome or (Outcome.COMPLETED if run == self.epochs else Outcome.STOPPED),
            train_loss=np.array(self._train_losses[:finite]),
            held_out_loss=np.array(self._held_out_losses[first:finite]),
            held_out_score=np.array(self._scores[first:finite]),
            # What rates the loop has really used is not known.
            learning_rate=np.empty(0),
            kept_epoch=0 if diverged else run,
            uninformed_loss=self.baseline,
            gradient_evaluations=run * len(self._problem.train) * self.config.gradients_per_update,
            updates=int(self.config.plan(len(self._problem.train)).starts[run]),
            seconds=time.perf_counter() - self._started,
        )

    def _check_reported(self) -> None:
        if not self._train_losses:
            raise InputError(
                f"the run of seed {self.seed} ended without a report: call run.report(epoch, train_loss=…, "
                f"held_out_loss=…) after each of its {self.epochs} epochs"
            )


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"run.report({name}={value!r:.80}): must be a number") from None
