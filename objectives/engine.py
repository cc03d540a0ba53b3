"""The one training loop: a population of replicates as one batched program.

R replicates (configs × seeds) share one parameter matrix (R, P). Each update computes all their gradients with one
batched program of matrix products and applies each rule in one fused pass. A replicate's arithmetic does not depend on
its neighbours: trained together or alone, it gives the same bits.
"""

import time
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

from objectives.config import TrainConfig
from objectives.cost import REFERENCE_EPOCHS
from objectives.data_order import DataOrder, by_difficulty
from objectives.errors import InputError
from objectives.limits import Limits, checked_limits
from objectives.population import Population, Replicate, plan
from objectives.problem import Indices, Problem, evaluate
from objectives.random_streams import generator
from objectives.records import Curve, Outcome
from objectives.watch import Watch

POPULATION = 12
"""Replicates trained together: more would not fit the cache, fewer would pay the interpreter's cost more often."""


REFERENCE = {"optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": REFERENCE_EPOCHS}
"""The config of the reference model whose losses tell which rows are easy; its seed is always 0."""


class SearchTask(Protocol):
    """A task as `train` needs it."""

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """The problem of a search: training and validation rows."""


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
    limits: ArrayLike | None = None,
) -> list[list[Curve]]:
    """Train every config with every seed.

    task: a task, of which the search's split with seed 0 is taken, or a Problem of your own choice.
    seeds: integers of at least 0; a seed fixes initial weights and data order, the same for every config.
    dtype: float32 or float64. every_epoch: measure the held-out rows after every epoch, or only after the last.
    limits: (configs, epochs) losses in the unit of the held-out loss, infinite where nothing is pruned; all configs
    then have that number of epochs. A config is pruned after epoch e (from 0) if its mean capped held-out loss over its
    seeds has been above `limits[config, e]` after every epoch up to that: its replicates that would train on stop. A
    diverged seed counts with the problem's uninformed loss, one that stopped early with the loss it ended with. Up to
    its end a pruned curve is the same as without limits. The last epoch's limits prune nothing: the run is over.

    Returns curves as a list (configs) of lists (seeds). Raises InputError for unusable arguments.
    """
    precision = np.dtype(dtype)
    if precision not in (np.float32, np.float64):
        raise InputError(f"train(dtype={dtype!r}): dtype must be float32 or float64")
    if not isinstance(task, Problem) and not hasattr(task, "search_problem"):
        raise InputError(f"train(task=...): should be a Task or a Problem, as tasks.get('digits') is, got {task!r:.80}")
    if not isinstance(configs, Sequence) or not all(isinstance(config, TrainConfig) for config in configs):
        raise InputError(f"train(configs=...): should be a list of TrainConfig, got {configs!r:.80}")
    if not isinstance(seeds, Sequence | np.ndarray):
        raise InputError(f"train(seeds=...): should be a list of whole numbers, got {seeds!r:.80}")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"train(seeds=...): a seed is a whole number of at least 0, got {seed!r}")
    allowed = None if limits is None else checked_limits(limits, configs, every_epoch)
    problem = task if isinstance(task, Problem) else task.search_problem()
    if allowed is not None and problem.monitor is not None:
        raise InputError("train(limits=...): the held-out rows of this problem are test rows, which may decide nothing")
    replicates: list[tuple[tuple[int, int], Replicate]] = []
    for i, config in enumerate(configs):
        config.check_model(problem.model)
        updates = plan(config, _seen(problem, config))
        replicates += [((i, j), Replicate(config, int(seed), updates)) for j, seed in enumerate(seeds)]
    # Who is pruned depends on a config's mean over its seeds, which must then be in one population.
    size = POPULATION if allowed is None else max(POPULATION // max(len(seeds), 1), 1) * len(seeds)
    curves: dict[tuple[int, int], Curve] = {}
    # One thread for the matrix products: they are small, the processes are the parallelism, and the number of threads
    # must not change a sum's order.
    with _threads().limit(limits=1):
        for _, alike in groupby(sorted(replicates, key=_program), key=_program):
            together = list(alike)
            for start in range(0, len(together), size):
                places, chunk = zip(*together[start : start + size], strict=True)
                own = None if allowed is None else Limits(allowed[[i for i, _ in places[:: len(seeds)]]])
                curves.update(zip(places, _run(problem, chunk, precision, every_epoch, own), strict=True))
    return [[curves[i, j] for j in range(len(seeds))] for i in range(len(configs))]


def _program(placed: tuple[tuple[int, int], Replicate]) -> tuple[Any, ...]:
    return placed[1].program


def _seen(problem: Problem, config: TrainConfig) -> Problem:
    """The problem as a run of `config` sees it."""
    return problem.reacting if config.reacts else problem


def _population(
    problem: Problem, replicates: Sequence[Replicate], dtype: np.dtype[Any]
) -> tuple[Population, NDArray[np.int64]]:
    """The population, and the gradient evaluations (R,) that were paid before its first update."""
    problem = _seen(problem, replicates[0].config)
    orders: dict[tuple[int, bool, str], DataOrder] = {}
    kinds = [(each.seed, each.config.shuffle, each.config.curriculum) for each in replicates]
    paid = np.zeros(len(replicates), np.int64)
    for i, (seed, shuffle, curriculum) in enumerate(kinds):
        rows = problem.train
        if curriculum != "none":
            rows, paid[i] = _easiest_first(problem)
        order = DataOrder(rows, generator(seed, "data order"), replicates[i].config.epochs, shuffle, curriculum)
        orders.setdefault(kinds[i], order)
    return Population(problem, replicates, [orders[kind] for kind in kinds], dtype), paid


@lru_cache(maxsize=8)
def _easiest_first(problem: Problem) -> tuple[Indices, int]:
    """The training rows (n,) from the easiest to the hardest, and the gradient evaluations that it took to know.

    Easy is what a reference model, the task's own after a few epochs, has a low loss on.
    """
    # Always in float64, so that the order does not depend on the precision of the run that asks for it.
    config = TrainConfig.from_json(REFERENCE)
    population, _ = _population(problem, [Replicate(config, 0, plan(config, problem))], np.dtype(np.float64))
    rows = problem.train
    losses = np.empty(len(rows))
    # A reference model that diverges ranks nothing, but it is no error.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for epoch in range(population.epochs):
            population.train_epoch(epoch)
        for start in range(0, len(rows), POPULATION):
            chunk = rows[start : start + POPULATION, None]
            theta = np.repeat(population.theta, len(chunk), axis=0)
            losses[start : start + len(chunk)] = population.model.loss_and_gradient(theta, chunk)[0]
    return by_difficulty(rows, losses), (population.epochs + 1) * len(rows)


def _run(
    problem: Problem,
    replicates: Sequence[Replicate],
    dtype: np.dtype[Any],
    every_epoch: bool,
    limits: Limits | None = None,
) -> list[Curve]:
    """Train a population to its end; the curves in the replicates' order.

    limits: those of its configs, whose replicates then stand side by side, equally many of each.
    """
    started = time.perf_counter()
    population, paid = _population(problem, replicates, dtype)
    record = _Record(population)
    watch = _watch(population)
    # A diverging replicate overflows by design; it is noticed at the end of its epoch.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for epoch in range(population.epochs):
            losses = population.train_epoch(epoch)
            record.trained(population, epoch, losses)
            finite = np.isfinite(losses)
            ending = np.full(len(losses), epoch == population.epochs - 1)
            if every_epoch or (watch and population.problem.monitor is None):
                finite &= np.isfinite(record.measured(population, epoch))
            if watch:
                seen = record.held_out_loss[population.alive, epoch]
                if population.problem.monitor is not None:
                    seen, _ = evaluate(population.model, population.theta, population.problem.watched)
                    finite &= np.isfinite(seen)
                stopping, restarting = watch.see(epoch + 1, seen, population.theta)
                if not ending.all():
                    record.stopped[population.alive[stopping]] = True
                    ending |= stopping
                    population.restart(
                        restarting & finite, watch.best_theta, watch.factors, int(population.starts[epoch + 1])
                    )
                # Who may stop early ends with its best parameters, also at its last epoch.
                back = ending & finite & np.isfinite(watch.stop_after)
                population.theta[back] = watch.best_theta[back]
                record.kept_epoch[population.alive[back]] = watch.best_epoch[back]
            if not every_epoch and ending.any():
                finite &= ~ending | np.isfinite(record.measured(population, epoch))
            record.diverged[population.alive[~finite]] = True
            staying = finite & ~ending
            if limits is not None:
                over = limits.exceeded(epoch, record.reported(epoch, problem.uninformed_loss))[population.alive]
                record.pruned[population.alive[staying & over]] = True
                staying &= ~over
            if not staying.all():
                population.keep(staying)
                if watch:
                    watch.keep(staying)
                if not population.alive.size:
                    break
    return record.curves(problem.uninformed_loss, every_epoch, paid, (time.perf_counter() - started) / len(replicates))


def _watch(population: Population) -> Watch | None:
    """Who of the population stops and restarts after how many evaluations; None where nobody reacts."""
    if not population.replicates[0].config.reacts:
        return None
    reactions = [replicate.plan.reaction for replicate in population.replicates]
    return Watch(
        np.array([replicate.config.early_stopping or np.inf for replicate in population.replicates], np.float64),
        np.array([reaction.patience if reaction else np.inf for reaction in reactions], np.float64),
        np.array([reaction.factor if reaction else 1.0 for reaction in reactions], np.float64),
        population.theta,
    )


class _Record:
    """What the replicates of a population leave behind, epoch by epoch; (R, epochs) with NaN for what never was."""

    def __init__(self, population: Population) -> None:
        self.replicates, self.starts = population.replicates, population.starts
        self.rows = len(population.problem.train)
        shape = len(self.replicates), population.epochs
        self.train_loss, self.held_out_loss, self.held_out_score, self.rate = (np.full(shape, np.nan) for _ in range(4))
        self.epochs_run, self.kept_epoch = np.zeros(shape[0], np.int64), np.zeros(shape[0], np.int64)
        self.diverged, self.stopped, self.pruned = (np.zeros(shape[0], bool) for _ in range(3))

    def trained(self, population: Population, epoch: int, losses: NDArray[np.float64]) -> None:
        """Note an epoch of training."""
        self.train_loss[population.alive, epoch] = losses
        self.rate[population.alive, epoch] = population.rates[population.starts[epoch + 1] - 1]
        self.epochs_run[population.alive] = self.kept_epoch[population.alive] = epoch + 1

    def measured(self, population: Population, epoch: int) -> NDArray[np.float64]:
        """Measure the held-out rows, and note it; the losses (R,)."""
        losses, scores = evaluate(population.model, population.theta, population.problem.held_out)
        self.held_out_loss[population.alive, epoch] = losses
        self.held_out_score[population.alive, epoch] = scores
        return losses

    def reported(self, epoch: int, uninformed_loss: float) -> NDArray[np.float64]:
        """(R,) losses after `epoch` (from 0), where all epochs are measured: what `Curve.capped_losses` will say."""
        at = np.where(self.epochs_run > epoch, epoch, self.kept_epoch - 1)
        losses = self.held_out_loss[np.arange(len(at)), at]
        losses[self.diverged] = uninformed_loss
        return np.asarray(np.minimum(losses, uninformed_loss))

    def curves(self, uninformed_loss: float, every_epoch: bool, paid: NDArray[np.int64], seconds: float) -> list[Curve]:
        """One curve per replicate."""
        curves = []
        for r, replicate in enumerate(self.replicates):
            run = int(self.epochs_run[r])
            finite = run - int(self.diverged[r])
            held_out = slice(finite) if every_epoch else slice(run - 1, finite)
            curves.append(
                Curve(
                    seed=replicate.seed,
                    outcome=self._outcome(r),
                    train_loss=self.train_loss[r, :finite].copy(),
                    validation_loss=self.held_out_loss[r, held_out].copy(),
                    validation_score=self.held_out_score[r, held_out].copy(),
                    learning_rate=self.rate[r, :finite].copy(),
                    kept_epoch=0 if self.diverged[r] else int(self.kept_epoch[r]),
                    uninformed_loss=uninformed_loss,
                    gradient_evaluations=run * self.rows + int(paid[r]),
                    updates=int(self.starts[run]),
                    seconds=seconds,
                )
            )
        return curves

    def _outcome(self, r: int) -> Outcome:
        if self.diverged[r]:
            return Outcome.DIVERGED
        if self.pruned[r]:
            return Outcome.PRUNED
        return Outcome.STOPPED if self.stopped[r] else Outcome.COMPLETED
