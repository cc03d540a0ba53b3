"""`Replicate`, one config with one seed in a population; and `Standing`, the state from which its training goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.problem import Model, Network
from cooldown.objectives.random_streams import generator
from cooldown.objectives.schedules import Plan
from cooldown.objectives.training.averaging import Average

POPULATION = 12
"""Replicates trained together: more would exceed the cache, fewer would pay the interpreter's overhead more often."""


@dataclass(frozen=True)
class Replicate:
    """One config with one seed, and the updates that it will make."""

    config: TrainConfig
    seed: int
    plan: Plan

    @property
    def program(self) -> tuple[Any, ...]:
        """What must be equal for replicates to be trained together."""
        config = self.config
        strategies = config.reacts, config.batch_norm, config.dropout > 0, config.averaging, config.sam > 0
        method = config.asynchronous
        apart = (method.name, method.hyperparameters["workers"]) if method else ("", 1)
        return config.optimizer.name, *strategies, config.epochs, self.plan.sizes.tobytes(), *apart


@dataclass(frozen=True, eq=False)
class Standing:
    """The state of replicates of one program after a complete pass: all that the next pass needs, except its rows.

    theta: (R, size), state: (slots, R, P), memory: (R, M), since: (R,), rates: (T, R) and average as in a population.
    reported: (R, size) what is measured and kept of them. streams: by the random stream's name, the generator of each
    replicate. passes, updates: numbers so far.
    """

    replicates: tuple[Replicate, ...]
    theta: NDArray[Any]
    state: NDArray[Any]
    memory: NDArray[np.float64]
    since: NDArray[np.int64]
    rates: NDArray[Any]
    average: Average | None
    reported: NDArray[Any]
    streams: dict[str, list[np.random.Generator]]
    passes: int
    updates: int


def plan(config: TrainConfig, n_rows: int) -> Plan:
    """The updates of a run of `config` on as many training rows."""
    schedule = schedules.get(config.schedule.name)
    return schedule.plan(n_rows, config.batch_size, config.epochs, config.schedule.hyperparameters)


def weights_stream(seed: int) -> np.random.Generator:
    """The stream from which a seed's initial parameters are drawn."""
    return generator(seed, "initial weights")


def initial_parameters(
    replicates: Sequence[Replicate],
    model: Model,
    network: Network | None,
    dtype: np.dtype[Any],
    given: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """(R, size) parameters to begin with, equal for equal seeds and schemes.

    network: the model if it is a network. given: (R, size) of which finite rows are taken in place of a seed's own.
    """

    @cache
    def drawn(seed: int, scheme: str) -> NDArray[Any]:
        rng = weights_stream(seed)
        return network.init(rng, scheme) if network else model.init(rng)

    def of(place: int, replicate: Replicate) -> NDArray[Any]:
        own: NDArray[Any] | None = None if given is None else given[place]
        if own is not None and np.isfinite(own).all():
            return own
        return drawn(replicate.seed, replicate.config.initialization)

    return np.stack([of(*each) for each in enumerate(replicates)]).astype(dtype, copy=False)
