"""`train` and `fit`: configs × seeds as populations of replicates, each population one batched program.

R replicates (configs × seeds) share one parameter matrix (R, P). Each update computes all their gradients with one
batched program of matrix products and applies each rule in one fused pass. A replicate's arithmetic does not depend on
its neighbours: trained together or alone, it gives the same bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Loop, Problem
from cooldown.objectives.records import Curve
from cooldown.objectives.training.assembly import population_of, replicates_of, seen_by
from cooldown.objectives.training.limits import Limits, checked_limits
from cooldown.objectives.training.loop import Observer, run
from cooldown.objectives.training.memory import check_memory, run_bytes
from cooldown.objectives.training.own_loops import train_by_loop
from cooldown.objectives.training.replicates import POPULATION, Replicate, Standing, plan


class SearchTask(Protocol):
    """A task as `train` needs it."""

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """The problem of a search: training and validation rows."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """The result of `fit` with R seeds: the curves, and what `train` does not return.

    curves: one per seed. theta: (R, size) final parameters, as they are reported, NaN for a diverged seed.
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
    task: SearchTask | Problem | Sequence[Problem],
    configs: Sequence[TrainConfig],
    seeds: Sequence[int],
    *,
    dtype: DTypeLike = np.float32,
    every_epoch: bool = True,
    every_update: bool = False,
    limits: ArrayLike | None = None,
    compiled_passes: bool = True,
) -> list[list[Curve]]:
    """Train every config with every seed.

    task: a task, whose search problem with seed 0 and repeat 0 is used, or a Problem, or a list of one Problem per
    seed. Replicates of problems on one model are trained together; a loop of the user's own trains one after another.
    seeds: integers of at least 0; a seed fixes initial weights and data order, the same for every config.
    dtype: float32 or float64. every_epoch: measure the held-out rows after every epoch, or only after the last.
    every_update: keep the loss of each update's mini-batch, in `Curve.update_loss`; a loop of the user's own has none.
    limits: (configs, epochs) losses in the unit of the held-out loss, inf for no pruning; all configs must have that
    number of epochs. A config is pruned after epoch e (from 0) if its mean capped held-out loss over the seeds has been
    above `limits[config, e]` after every epoch so far: its remaining replicates stop. A diverged seed counts with the
    baseline loss, one that stopped early with its final loss. Up to its end a pruned curve is the same as without
    limits. The limits of the last epoch are not used.
    compiled_passes: whether whole passes are compiled where that is possible. The bits are the same without; a tiny run
    is then done before a pass would be compiled.

    Returns curves as a list (configs) of lists (seeds). Raises InputError for unusable arguments.
    """
    precision = _precision("train", dtype)
    if not isinstance(configs, Sequence) or not all(isinstance(config, TrainConfig) for config in configs):
        raise InputError(f"train(configs=...): must be a list of TrainConfig, got {configs!r:.80}")
    _check_seeds("train", seeds)
    checked = None if limits is None else checked_limits(limits, configs, every_epoch)
    problems = _problems(task, seeds)
    if problems:
        check_memory("train(configs=...)", run_bytes(problems[0], configs, len(seeds), precision.itemsize))
    models = list(dict.fromkeys(problem.model for problem in problems))
    model_of = [models.index(problem.model) for problem in problems]
    if checked is not None and any(problem.monitor is not None for problem in problems):
        raise InputError("train(limits=...): this problem's held-out rows are test rows, which must not decide pruning")
    if checked is not None and len(models) > 1:
        raise InputError("train(limits=...): the problems of the seeds must be on one model, got several")
    if models and all(isinstance(model, Loop) for model in models):
        for config in configs:
            config.check_model(models[0])
        with _threads().limit(limits=1):
            return [
                train_by_loop(
                    problems, config, seeds, every_epoch, None if checked is None else Limits(checked[i : i + 1])
                )
                for i, config in enumerate(configs)
            ]
    replicates: list[tuple[tuple[int, int], Replicate]] = []
    for i, config in enumerate(configs):
        replicates += [((i, j), replicate) for j, replicate in enumerate(replicates_of(problems, config, seeds))]

    def program(placed: tuple[tuple[int, int], Replicate]) -> tuple[Any, ...]:
        (_, seed), replicate = placed
        return *replicate.program, model_of[seed]

    # Pruning depends on a config's mean over its seeds, which must then be in one population.
    size = POPULATION if checked is None else max(POPULATION // max(len(seeds), 1), 1) * len(seeds)
    curves: dict[tuple[int, int], Curve] = {}
    # One thread for the matrix products: they are small, parallelism comes from the processes, and the number of
    # threads must not change the order of a sum.
    with _threads().limit(limits=1):
        for _, alike in groupby(sorted(replicates, key=program), key=program):
            together = list(alike)
            for start in range(0, len(together), size):
                places, chunk = zip(*together[start : start + size], strict=True)
                chunk_limits = None if checked is None else Limits(checked[[i for i, _ in places[:: len(seeds)]]])
                of_chunk = [problems[j] for _, j in places]
                record, _ = run(
                    of_chunk,
                    chunk,
                    precision,
                    every_epoch,
                    chunk_limits,
                    every_update=every_update,
                    repeated=True,
                    compiled_passes=compiled_passes,
                )
                curves.update(zip(places, record.curves(), strict=True))
    return [[curves[i, j] for j in range(len(seeds))] for i in range(len(configs))]


def fit(
    problem: Problem,
    config: TrainConfig,
    seeds: Sequence[int],
    *,
    dtype: DTypeLike = np.float32,
    initial: NDArray[Any] | None = None,
    observer: Observer | None = None,
) -> Fitted:
    """Train `config` with every seed, all in one population, and keep the trained parameters.

    initial: (R, size) parameters to begin with, NaN in the row of a seed that draws its own. observer: what is told of
    every epoch, and may end the run.

    Curves equal those of `train`, bit for bit. The held-out rows are measured after every epoch. A problem without
    held-out rows, allowed unless the config reacts, gives a single NaN as held-out loss and score; a seed has then
    diverged if a training loss or a final parameter is not finite.
    Raises InputError for unusable arguments.
    """
    precision = _precision("fit", dtype)
    _check_seeds("fit", seeds, least=1)
    check_memory("fit(config=...)", run_bytes(problem, [config], len(seeds), precision.itemsize))
    if config.reacts and not len(seen_by(problem, config).watched):
        raise InputError("fit(problem=...): early stopping and schedules that react need held-out rows, got none")
    with _threads().limit(limits=1):
        problems = [problem] * len(seeds)
        replicates = replicates_of(problems, config, seeds)
        record, population = run(problems, replicates, precision, every_epoch=True, initial=initial, observer=observer)
    ended = population.alive.size == 0 or config.reacts or config.asynchronous is not None
    standing = None if ended else population.standing(population.epochs, int(population.starts[-1]))
    return Fitted(record.curves(), record.theta, record.rates, standing)


def begin(problem: Problem, config: TrainConfig, seeds: Sequence[int], *, dtype: DTypeLike = np.float32) -> Standing:
    """The state of a run of `config` before its first pass, for `train_pass`; the config must not react, and not be
    asynchronous.

    Its rates are planned for `config.epochs` passes over as many rows as `problem` has.
    Raises InputError for unusable arguments.
    """
    precision = _precision("begin", dtype)
    _check_seeds("begin", seeds, least=1)
    check_memory("begin(config=...)", run_bytes(problem, [config], len(seeds), precision.itemsize))
    if config.reacts:
        raise InputError("begin(config=...): early stopping and schedules that react cannot train pass by pass")
    if config.asynchronous is not None:
        raise InputError("begin(config=...): asynchronous workers do not wait at the end of a pass")
    with _threads().limit(limits=1):
        problems = [problem] * len(seeds)
        population, _ = population_of(problems, replicates_of(problems, config, seeds), precision)
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
    planned, epoch = plan(config, len(problem.train)), min(standing.passes, config.epochs - 1)
    sizes = planned.sizes[planned.starts[epoch] : planned.starts[epoch + 1]]
    with _threads().limit(limits=1), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        problems = [problem] * len(standing.replicates)
        population, _ = population_of(problems, standing.replicates, standing.theta.dtype, standing.theta)
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


def _problems(task: Any, seeds: Sequence[int]) -> list[Problem]:
    """The problem of each seed."""
    if isinstance(task, Problem) or hasattr(task, "search_problem"):
        return [task if isinstance(task, Problem) else task.search_problem()] * len(seeds)
    if isinstance(task, Sequence) and all(isinstance(problem, Problem) for problem in task):
        if len(task) != len(seeds):
            raise InputError(f"train(task=...): a list needs one Problem per seed, got {len(task)} for {len(seeds)}")
        return list(task)
    raise InputError(
        f"train(task=...): must be a Task, like tasks.get('digits'), a Problem or a list of Problems, got {task!r:.80}"
    )
