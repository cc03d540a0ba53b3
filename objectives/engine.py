"""The one training loop: a population of replicates as one batched program.

R replicates (configs × seeds) share one parameter matrix (R, P). Each update computes all their gradients with one
batched program of matrix products and applies each rule in one fused pass. A replicate's arithmetic does not depend on
its neighbours: trained together or alone, it gives the same bits.
"""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

from objectives import optimizers, schedules
from objectives.config import TrainConfig
from objectives.errors import InputError
from objectives.fusion import fused
from objectives.problem import Model, Problem, evaluate
from objectives.random_streams import generator
from objectives.records import Curve, Outcome

POPULATION = 12
"""Replicates trained together: more would not fit the cache, fewer would pay the interpreter's cost more often."""


class SearchTask(Protocol):
    """A task as `train` needs it."""

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """The problem of a search: training and validation rows."""


@dataclass(frozen=True)
class _Replicate:
    config: TrainConfig
    seed: int
    place: tuple[int, int]
    """Where its curve goes: (config, seed) among the arguments of `train`."""


@cache
def _threads() -> ThreadpoolController:
    """The thread pools of this process, looked up once: that takes as long as a hundred updates."""
    return ThreadpoolController()


def train(
    task: SearchTask | Problem,
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    *,
    dtype: DTypeLike = np.float32,
    every_epoch: bool = True,
) -> list[list[Curve]]:
    """Train every config with every seed.

    task: a task, of which the search's split with seed 0 is taken, or a Problem of your own choice.
    seeds: integers of at least 0; a seed fixes initial weights and data order, the same for every config.
    dtype: float32 or float64. every_epoch: measure the held-out rows after every epoch, or only after the last.

    Returns curves as a list (configs) of lists (seeds). Raises InputError for unusable arguments.
    """
    precision = np.dtype(dtype)
    if precision not in (np.float32, np.float64):
        raise InputError(f"train(dtype={dtype!r}): dtype must be float32 or float64")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"train(seeds=...): a seed is a whole number of at least 0, got {seed!r}")
    problem = task if isinstance(task, Problem) else task.search_problem()

    def program(replicate: _Replicate) -> tuple[int, int, str]:
        return replicate.config.batch_size, replicate.config.epochs, replicate.config.optimizer.name

    replicates = [
        _Replicate(config, int(seed), (i, j)) for i, config in enumerate(configs) for j, seed in enumerate(seeds)
    ]
    curves: dict[tuple[int, int], Curve] = {}
    # One thread for the matrix products: they are small, the processes are the parallelism, and the number of threads
    # must not change a sum's order.
    with _threads().limit(limits=1):
        for _, alike in groupby(sorted(replicates, key=program), key=program):
            together = list(alike)
            for start in range(0, len(together), POPULATION):
                chunk = together[start : start + POPULATION]
                for replicate, curve in zip(
                    chunk, _Population(problem, chunk, precision).run(every_epoch), strict=True
                ):
                    curves[replicate.place] = curve
    return [[curves[i, j] for j in range(len(seeds))] for i in range(len(configs))]


class _Population:
    """Replicates of one rule, batch size and number of epochs, and their state while they are trained."""

    def __init__(self, problem: Problem, replicates: Sequence[_Replicate], dtype: np.dtype[Any]) -> None:
        first = replicates[0].config
        self.problem, self.replicates = problem, replicates
        # A model may keep buffers between calls; a copy keeps two runs out of each other's.
        self.model: Model = copy.copy(problem.model)
        self.batch_size, self.epochs = min(first.batch_size, len(problem.train)), first.epochs
        self.updates_per_epoch = -(-len(problem.train) // self.batch_size)
        rule = optimizers.get(first.optimizer.name)
        self.update = fused(rule, dtype.name)
        self.seeds = sorted({replicate.seed for replicate in replicates})
        self.seed_of = np.array([self.seeds.index(replicate.seed) for replicate in replicates])
        initial = [self.model.init(generator(seed, "initial weights")) for seed in self.seeds]
        self.theta = np.stack(initial).astype(dtype)[self.seed_of]
        self.state = np.zeros((len(rule.slots), *self.theta.shape), dtype)
        self.l2 = np.array([replicate.config.l2 for replicate in replicates], dtype)
        self.rates = np.stack([self._rates(replicate.config) for replicate in replicates], axis=1).astype(dtype)
        self.hyperparameters = np.array(
            [
                [replicate.config.optimizer.hyperparameters[each.name] for replicate in replicates]
                for each in rule.hyperparameters[1:]
            ],
            dtype,
        ).reshape(-1, len(replicates))

    def _rates(self, config: TrainConfig) -> NDArray[np.float64]:
        """(T,) learning rates of all updates."""
        schedule = schedules.get(config.schedule.name)
        total = self.epochs * self.updates_per_epoch
        multipliers = schedule.rates(total, self.updates_per_epoch, config.schedule.hyperparameters)
        return config.optimizer.hyperparameters["learning_rate"] * multipliers

    def run(self, every_epoch: bool) -> list[Curve]:
        """Train to the end; the curves in the replicates' order."""
        started = time.perf_counter()
        count = len(self.replicates)
        orders = [generator(seed, "data order") for seed in self.seeds]
        alive = np.arange(count)
        epochs_run = np.zeros(count, np.int64)
        train_loss = np.full((count, self.epochs), np.nan)
        held_out_loss, held_out_score = train_loss.copy(), train_loss.copy()
        diverged = np.zeros(count, bool)
        # A diverging replicate overflows by design; it is noticed at the end of its epoch.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for epoch in range(self.epochs):
                order = np.stack([rng.permutation(self.problem.train) for rng in orders])
                train_loss[alive, epoch] = self._train_epoch(epoch, order[self.seed_of])
                epochs_run[alive] += 1
                finite = np.isfinite(train_loss[alive, epoch])
                if every_epoch or epoch == self.epochs - 1:
                    losses, scores = evaluate(self.model, self.theta, self.problem.held_out)
                    held_out_loss[alive, epoch], held_out_score[alive, epoch] = losses, scores
                    finite &= np.isfinite(losses)
                if not finite.all():
                    diverged[alive[~finite]] = True
                    alive = alive[finite]
                    self._keep(finite)
                    if not alive.size:
                        break
        seconds = (time.perf_counter() - started) / count
        measured = slice(None) if every_epoch else slice(-1, None)
        curves = []
        for r, replicate in enumerate(self.replicates):
            finite_epochs = epochs_run[r] - diverged[r]
            kept = slice(finite_epochs) if every_epoch else (slice(0) if diverged[r] else measured)
            curves.append(
                Curve(
                    seed=replicate.seed,
                    outcome=Outcome.DIVERGED if diverged[r] else Outcome.COMPLETED,
                    train_loss=train_loss[r, :finite_epochs].copy(),
                    validation_loss=held_out_loss[r, kept].copy(),
                    validation_score=held_out_score[r, kept].copy(),
                    uninformed_loss=self.problem.uninformed_loss,
                    gradient_evaluations=int(epochs_run[r]) * len(self.problem.train),
                    updates=int(epochs_run[r]) * self.updates_per_epoch,
                    seconds=seconds,
                )
            )
        return curves

    def _train_epoch(self, epoch: int, order: NDArray[np.int64]) -> NDArray[np.float64]:
        """One pass over `order` (R, n), rows of each replicate; its mean loss (R,)."""
        theta, state, rates, first = self.theta, self.state, self.rates, epoch * self.updates_per_epoch
        # Contiguous for any R: else a kernel would be compiled twice, and the two would round differently.
        starts = range(0, order.shape[1], self.batch_size)
        batches = [np.ascontiguousarray(order[:, start : start + self.batch_size]) for start in starts]
        losses = np.empty((len(theta), len(batches)))
        for i, batch in enumerate(batches):
            losses[:, i], gradient = self.model.loss_and_gradient(theta, batch)
            self.update(theta, gradient, state, self.l2, rates, first + i, self.hyperparameters)
        # A sum along a row, not a product: its rounding must not depend on the number of rows.
        sizes = [batch.shape[1] for batch in batches]
        return np.asarray((losses * sizes).sum(axis=1) / order.shape[1])

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop the replicates that have diverged, so that they cost no more."""
        self.theta, self.seed_of, self.l2 = self.theta[kept], self.seed_of[kept], self.l2[kept]
        # Contiguous again: for another layout the update would be compiled anew.
        self.state, self.rates, self.hyperparameters = (
            np.ascontiguousarray(array[:, kept]) for array in (self.state, self.rates, self.hyperparameters)
        )
