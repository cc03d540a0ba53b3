"""From problems, configs and seeds to a population that can be trained."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import REFERENCE_EPOCHS
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.schedules import Plan
from cooldown.objectives.training.data_order import DataOrder, by_difficulty, kept_order, order_stream
from cooldown.objectives.training.population import Population
from cooldown.objectives.training.replicates import POPULATION, Replicate, plan

REFERENCE = {"optimizer": {"name": "adam", "learning_rate": 0.01}, "epochs": REFERENCE_EPOCHS}
"""The config of a curriculum's reference model, whose losses say which rows are easy; its seed is always 0."""


def replicates_of(problems: Sequence[Problem], config: TrainConfig, seeds: Sequence[int]) -> list[Replicate]:
    """One replicate per seed, on its problem."""
    planned: dict[int, Plan] = {}
    for problem in problems:
        config.check_model(problem.model)
        n = len(seen_by(problem, config).train)
        if n not in planned:
            planned[n] = plan(config, n)
    return [
        Replicate(config, int(seed), planned[len(seen_by(problem, config).train)])
        for problem, seed in zip(problems, seeds, strict=True)
    ]


def seen_by(problem: Problem, config: TrainConfig) -> Problem:
    """The problem with the rows that a run of `config` trains on."""
    return problem.reacting if config.reacts else problem


def population_of(
    problems: Sequence[Problem],
    replicates: Sequence[Replicate],
    dtype: np.dtype[Any],
    initial: NDArray[Any] | None = None,
    *,
    repeated: bool = False,
) -> tuple[Population, NDArray[np.int64]]:
    """The population, and the gradient evaluations (R,) before its first update.

    initial: as for `Population`. repeated: whether other runs will have the same seeds and rows, and none goes on from
    where these end: their data orders are then kept.
    """
    problems = [seen_by(problem, replicates[0].config) for problem in problems]
    orders: dict[tuple[Problem, int, bool, str], DataOrder] = {}
    kinds = [
        (problem, run.seed, run.config.shuffle, run.config.curriculum)
        for problem, run in zip(problems, replicates, strict=True)
    ]
    paid = np.zeros(len(replicates), np.int64)
    for i, (problem, seed, shuffle, curriculum) in enumerate(kinds):
        rows = problem.train
        if curriculum != "none":
            rows, paid[i] = easiest_first(problem)
        if kinds[i] not in orders:
            epochs = replicates[i].config.epochs
            known = kept_order(rows, seed, epochs) if repeated and shuffle and curriculum == "none" else None
            orders[kinds[i]] = DataOrder(rows, order_stream(seed), epochs, shuffle, curriculum, known)
    return Population(problems, replicates, [orders[kind] for kind in kinds], dtype, initial), paid


@lru_cache(maxsize=32)
def easiest_first(problem: Problem) -> tuple[Indices, int]:
    """The training rows (n,) from easy to hard, and the gradient evaluations of this ranking.

    Easy rows have a low loss under a reference model: the task's model after a few epochs.
    """
    # Always in float64, so that the order does not depend on the precision of the run.
    config = TrainConfig.from_json(REFERENCE)
    runs = replicates_of([problem], config, [0])
    population, _ = population_of([problem], runs, np.dtype(np.float64))
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
    weights = getattr(population.model, "weights", None)
    if weights is not None:
        # A row is not hard because it counts much.
        losses /= weights[rows]
    return by_difficulty(rows, losses), (population.epochs + 1) * len(rows)
