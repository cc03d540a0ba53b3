"""The one training loop: a population of replicates as one batched program.

R replicates (configs × seeds) share one parameter matrix (R, P). Each update computes all their gradients with one
batched program of matrix products and applies each rule in one fused pass. A replicate's arithmetic does not depend on
its neighbours: trained together or alone, it gives the same bits.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import REFERENCE_EPOCHS
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices, Problem, evaluate
from cooldown.objectives.random_streams import generator
from cooldown.objectives.records import Curve
from cooldown.objectives.training.data_order import DataOrder, by_difficulty
from cooldown.objectives.training.limits import Limits, checked_limits
from cooldown.objectives.training.population import Flags, Population, Replicate, Standing, plan
from cooldown.objectives.training.recording import Recording
from cooldown.objectives.training.watch import Watch

POPULATION = 12
"""Replicates trained together: more would exceed the cache, fewer would pay the interpreter's overhead more often."""


REFERENCE = {"optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": REFERENCE_EPOCHS}
"""The config of a curriculum's reference model, whose losses say which rows are easy; its seed is always 0."""


class SearchTask(Protocol):
    """A task as `train` needs it."""

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """The problem of a search: training and validation rows."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of `fit` with R seeds: the curves, and what `train` does not return.

    curves: one per seed. theta: (R, size) final parameters, NaN for a diverged seed.
    rates: (R, T) the learning rate of every update as executed, reactions included; NaN for updates not executed.
    standing: the state from which `train_pass` continues the seeds that did not diverge; None if all diverged, and for
    a config that reacts.
    """

    curves: list[Curve]
    theta: NDArray[Any]
    rates: NDArray[Any]
    standing: Standing | None


@cache
def _threads() -> ThreadpoolController:
    """The thread pools of this process, looked up once because that takes as long as a hundred updates."""
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

    task: a task, whose search problem with seed 0 and repeat 0 is used, or a Problem.
    seeds: integers of at least 0; a seed fixes initial weights and data order, the same for every config.
    dtype: float32 or float64. every_epoch: measure the held-out rows after every epoch, or only after the last.
    limits: (configs, epochs) losses in the unit of the held-out loss, inf for no pruning; all configs must have that
    number of epochs. A config is pruned after epoch e (from 0) if its mean capped held-out loss over the seeds has been
    above `limits[config, e]` after every epoch so far: its remaining replicates stop. A diverged seed counts with the
    baseline loss, one that stopped early with its final loss. Up to its end a pruned curve is the same as without
    limits. The limits of the last epoch are not used.

    Returns curves as a list (configs) of lists (seeds). Raises InputError for unusable arguments.
    """
    precision = _precision("train", dtype)
    if not isinstance(task, Problem) and not hasattr(task, "search_problem"):
        raise InputError(f"train(task=...): must be a Task, like tasks.get('digits'), or a Problem, got {task!r:.80}")
    if not isinstance(configs, Sequence) or not all(isinstance(config, TrainConfig) for config in configs):
        raise InputError(f"train(configs=...): must be a list of TrainConfig, got {configs!r:.80}")
    _check_seeds("train", seeds)
    checked = None if limits is None else checked_limits(limits, configs, every_epoch)
    problem = task if isinstance(task, Problem) else task.search_problem()
    if checked is not None and problem.monitor is not None:
        raise InputError("train(limits=...): this problem's held-out rows are test rows, which must not decide pruning")
    replicates: list[tuple[tuple[int, int], Replicate]] = []
    for i, config in enumerate(configs):
        replicates += [((i, j), replicate) for j, replicate in enumerate(_replicates(problem, config, seeds))]
    # Pruning depends on a config's mean over its seeds, which must then be in one population.
    size = POPULATION if checked is None else max(POPULATION // max(len(seeds), 1), 1) * len(seeds)
    curves: dict[tuple[int, int], Curve] = {}
    # One thread for the matrix products: they are small, parallelism comes from the processes, and the number of
    # threads must not change the order of a sum.
    with _threads().limit(limits=1):
        for _, alike in groupby(sorted(replicates, key=_program), key=_program):
            together = list(alike)
            for start in range(0, len(together), size):
                places, chunk = zip(*together[start : start + size], strict=True)
                chunk_limits = None if checked is None else Limits(checked[[i for i, _ in places[:: len(seeds)]]])
                record, _ = _run(problem, chunk, precision, every_epoch, chunk_limits)
                curves.update(zip(places, record.curves(), strict=True))
    return [[curves[i, j] for j in range(len(seeds))] for i in range(len(configs))]


def fit(problem: Problem, config: TrainConfig, seeds: Sequence[int], *, dtype: DTypeLike = np.float32) -> Fitted:
    """Train `config` with every seed, all in one population, and keep the trained parameters.

    Curves equal those of `train`, bit for bit. The held-out rows are measured after every epoch. A problem without
    held-out rows, allowed unless the config reacts, gives a single NaN as held-out loss and score; a seed has then
    diverged if a training loss or a final parameter is not finite.
    Raises InputError for unusable arguments.
    """
    precision = _precision("fit", dtype)
    _check_seeds("fit", seeds, least=1)
    if config.reacts and not len(_seen(problem, config).watched):
        raise InputError("fit(problem=...): early stopping and schedules that react need held-out rows, got none")
    with _threads().limit(limits=1):
        replicates = _replicates(problem, config, seeds)
        record, population = _run(problem, replicates, precision, every_epoch=True)
    ended = population.alive.size == 0 or config.reacts
    standing = None if ended else population.standing(population.epochs, int(population.starts[-1]))
    return Fitted(record.curves(), record.theta, record.rates, standing)


def begin(problem: Problem, config: TrainConfig, seeds: Sequence[int], *, dtype: DTypeLike = np.float32) -> Standing:
    """The state of a run of `config` before its first pass, for `train_pass`; the config must not react.

    Its rates are planned for `config.epochs` passes over as many rows as `problem` has.
    Raises InputError for unusable arguments.
    """
    precision = _precision("begin", dtype)
    _check_seeds("begin", seeds, least=1)
    if config.reacts:
        raise InputError("begin(config=...): early stopping and schedules that react cannot train pass by pass")
    with _threads().limit(limits=1):
        population, _ = _population(problem, _replicates(problem, config, seeds), precision)
    return population.standing(0, 0)


def train_pass(problem: Problem, standing: Standing) -> tuple[NDArray[np.float64], Standing]:
    """One pass over the training rows of `problem`, as the next epoch of the run with the state `standing`.

    `config.epochs` passes over the same rows equal a run of `fit`, bit for bit. Each pass may have other rows, and more
    or fewer: batch sizes are those of the epoch for this number of rows, rates continue update by update as `begin`
    planned them, and beyond the plan's end the last batch sizes and the last rate stay.

    Returns mean losses (R,) of the replicates that did not diverge (finite loss and parameters) and their new state.
    `standing` is not modified.
    """
    config, first = standing.replicates[0].config, standing.updates
    # As if planned for this number of rows, which may differ from the first pass.
    planned, epoch = plan(config, problem), min(standing.passes, config.epochs - 1)
    sizes = planned.sizes[planned.starts[epoch] : planned.starts[epoch + 1]]
    with _threads().limit(limits=1), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        population, _ = _population(problem, standing.replicates, standing.theta.dtype)
        population.resume(standing)
        population.lengthen(first + len(sizes))
        losses = population.train_pass(standing.passes, first, sizes)
    finite = np.isfinite(losses) & np.isfinite(population.theta).all(axis=1)
    if not finite.all():
        population.keep(finite)
    return losses[finite], population.standing(standing.passes + 1, first + len(sizes))


def _precision(call: str, dtype: DTypeLike) -> np.dtype[Any]:
    precision = np.dtype(dtype)
    if precision not in (np.float32, np.float64):
        raise InputError(f"{call}(dtype={dtype!r}): dtype must be float32 or float64")
    return precision


def _check_seeds(call: str, seeds: Sequence[int], least: int = 0) -> None:
    if not isinstance(seeds, Sequence | np.ndarray):
        raise InputError(f"{call}(seeds=...): must be a list of whole numbers, got {seeds!r:.80}")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"{call}(seeds=...): a seed must be a whole number of at least 0, got {seed!r}")
    if len(seeds) < least:
        raise InputError(f"{call}(seeds=...): at least one seed is needed, got none")


def _replicates(problem: Problem, config: TrainConfig, seeds: Sequence[int]) -> list[Replicate]:
    """One replicate per seed."""
    config.check_model(problem.model)
    updates = plan(config, _seen(problem, config))
    return [Replicate(config, int(seed), updates) for seed in seeds]


def _program(placed: tuple[tuple[int, int], Replicate]) -> tuple[Any, ...]:
    return placed[1].program


def _seen(problem: Problem, config: TrainConfig) -> Problem:
    """The problem with the rows that a run of `config` trains on."""
    return problem.reacting if config.reacts else problem


def _population(
    problem: Problem, replicates: Sequence[Replicate], dtype: np.dtype[Any]
) -> tuple[Population, NDArray[np.int64]]:
    """The population, and the gradient evaluations (R,) before its first update."""
    problem = _seen(problem, replicates[0].config)
    orders: dict[tuple[int, bool, str], DataOrder] = {}
    kinds = [(run.seed, run.config.shuffle, run.config.curriculum) for run in replicates]
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
    """The training rows (n,) from easy to hard, and the gradient evaluations of this ranking.

    Easy rows have a low loss under a reference model: the task's model after a few epochs.
    """
    # Always in float64, so that the order does not depend on the precision of the run.
    config = TrainConfig.from_json(REFERENCE)
    population, _ = _population(problem, [Replicate(config, 0, plan(config, problem))], np.dtype(np.float64))
    rows = problem.train
    losses = np.empty(len(rows))
    # If the reference model diverges, the ranking is useless but not an error.
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
) -> tuple[Recording, Population]:
    """Train a population to its end; returns the record in the replicates' order, and the replicates that finished.

    limits: those of its configs, whose replicates must then be adjacent, equally many of each.
    """
    started = time.perf_counter()
    population, paid = _population(problem, replicates, dtype)
    record = Recording(population, paid)
    measurable = len(population.problem.held_out) > 0
    every_epoch = record.every_epoch = every_epoch and measurable
    watch = _watch(population)
    # A diverging replicate may overflow; it is detected at the end of its epoch.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for epoch in range(population.epochs):
            losses = population.train_epoch(epoch)
            record.trained(population, epoch, losses)
            finite = np.isfinite(losses)
            ending = np.full(len(losses), epoch == population.epochs - 1)
            if every_epoch or (watch and population.problem.monitor is None):
                finite &= np.isfinite(record.measured(population, epoch))
            if watch:
                _react(population, watch, record, epoch, finite, ending)
            if not every_epoch and ending.any():
                # Without held-out rows divergence shows only in the parameters.
                final = record.measured(population, epoch)[:, None] if measurable else population.theta
                finite &= ~ending | np.isfinite(final).all(axis=1)
            record.diverged[population.alive[~finite]] = True
            staying = finite & ~ending
            if limits is not None:
                over = limits.exceeded(epoch, record.reported(epoch))[population.alive]
                record.pruned[population.alive[staying & over]] = True
                staying &= ~over
            if not staying.all():
                record.ended(population, epoch, ~staying, finite)
                # Replicates that finished are kept: their training may continue.
                kept = finite if epoch == population.epochs - 1 else staying
                population.keep(kept)
                if watch:
                    watch.keep(kept)
                if not population.alive.size:
                    break
    record.seconds = (time.perf_counter() - started) / len(replicates)
    return record, population


def _react(population: Population, watch: Watch, record: Recording, epoch: int, finite: Flags, ending: Flags) -> None:
    """Stop, restart or set back the replicates that react to the watched loss after `epoch`.

    finite, ending: (R,) which replicates have finite losses, and which end now; both are updated in place.
    """
    watched_loss = record.held_out_loss[population.alive, epoch]
    if population.problem.monitor is not None:
        watched_loss, _ = evaluate(population.model, population.theta, population.problem.watched)
        finite &= np.isfinite(watched_loss)
    stopping, restarting = watch.see(epoch + 1, watched_loss, population.theta)
    if not ending.all():
        record.stopped[population.alive[stopping]] = True
        ending |= stopping
        population.restart(restarting & finite, watch.best_theta, watch.factors, int(population.starts[epoch + 1]))
    # With early stopping a replicate ends with its best parameters, also at its last epoch.
    back = ending & finite & np.isfinite(watch.stop_after)
    population.theta[back] = watch.best_theta[back]
    record.kept_epoch[population.alive[back]] = watch.best_epoch[back]


def _watch(population: Population) -> Watch | None:
    """The patience and the factors of each replicate; None if no replicate reacts."""
    if not population.replicates[0].config.reacts:
        return None
    reactions = [replicate.plan.reaction for replicate in population.replicates]
    return Watch(
        np.array([replicate.config.early_stopping or np.inf for replicate in population.replicates], np.float64),
        np.array([reaction.patience if reaction else np.inf for reaction in reactions], np.float64),
        np.array([reaction.factor if reaction else 1.0 for reaction in reactions], np.float64),
        population.theta,
    )
