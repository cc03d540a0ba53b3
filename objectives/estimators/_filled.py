"""A fit on sparse rows trains the weights of the columns that its rows fill: all others stay as they were drawn.

No row of the fit multiplies them, and a rule whose state is zero leaves a weight without a gradient alone. So a network
of 50,000 words, of which the rows have a fifth, takes the memory and the time of that fifth, with the bits of all. What
was not trained is drawn again where it is needed: for rows with other words, and for training that goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.models.initialization import initial
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.problem import Problem
from cooldown.objectives.training.replicates import Standing, weights_stream

ENOUGH = 2
"""A network is narrowed if its rows fill fewer than one column in so many."""

STEPS = (1, 2, 10, 1000)
"""Numbers of updates at which a rule is asked what it does where nothing has happened yet."""


@dataclass(frozen=True, eq=False)
class Wide:
    """The networks with all columns, of which a fit trains the weights of some.

    network: without rows. columns: (c,) those that are trained, in ascending order. seeds: of all R networks.
    scheme: of their initial weights. dtype: of their parameters. given: (R, size) parameters to begin with, NaN in the
    row of a seed that draws its own; None if all do.
    """

    network: MLP
    columns: NDArray[np.int64]
    seeds: tuple[int, ...]
    scheme: str
    dtype: str
    given: NDArray[Any] | None

    @property
    def places(self) -> NDArray[np.int64]:
        """Where the parameters of the network on the columns that are trained are among all."""
        return self.network.architecture.places(self.columns)

    def beginning(self, seeds: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
        """(r, size on these) initial parameters of the networks `seeds`, by place, on columns in ascending order."""
        places = self.network.architecture.places(columns)
        found = np.empty((len(seeds), len(places)), self.dtype)
        for of_seed, seed in zip(found, seeds.tolist(), strict=True):
            if self.given is not None and np.isfinite(self.given[seed]).all():
                of_seed[:] = self.given[seed, places]
            else:
                stream = weights_stream(self.seeds[seed])
                of_seed[:] = initial(self.network.architecture, stream, self.scheme, columns)
        return found

    def widened(self, theta: NDArray[Any], seeds: NDArray[np.int64]) -> NDArray[Any]:
        """(r, size) parameters of the networks `seeds`, by place, of which those on the columns are `theta`."""
        found = self.beginning(seeds, np.arange(self.network.layers[0].inputs))
        found[:, self.places] = theta
        return found


@dataclass(frozen=True, eq=False)
class Narrow:
    """What a fit on the columns that its rows fill has learned; the rest of the network is drawn when it is asked for.

    theta: (members, size on the columns) of the networks `members`, by place. trained: the state in which these are.
    """

    wide: Wide
    members: NDArray[np.int64]
    theta: NDArray[Any]
    trained: Standing | None

    def whole(self) -> NDArray[Any]:
        """(members, size) the parameters of the whole networks."""
        return self.wide.widened(self.theta, self.members)

    def on(self, columns: NDArray[np.int64]) -> NDArray[Any] | None:
        """(members, size on these) the parameters of the networks on some columns, in ascending order; None if not all
        of them were trained.
        """
        if not np.isin(columns, self.wide.columns).all():
            return None
        trained = self.wide.network.architecture.on(len(self.wide.columns))
        return self.theta[:, trained.places(np.searchsorted(self.wide.columns, columns))]

    def standing(self) -> Standing | None:
        """The state from which the training of the whole networks goes on."""
        if self.trained is None:
            return None
        slots, replicates, trained = self.trained.state.shape
        seeds = np.array([self.wide.seeds.index(replicate.seed) for replicate in self.trained.replicates])
        theta, places = self.wide.widened(self.trained.theta, seeds), self.wide.places
        state = np.zeros((slots, replicates, self.wide.network.trainable), self.trained.state.dtype)
        # What is not trained, such as running statistics, comes last.
        state[:, :, places[:trained]] = self.trained.state
        # A rule that reports other parameters than it trains is none of those here.
        return replace(self.trained, theta=theta, state=state, reported=theta)


def filled(
    problem: Problem, config: TrainConfig, seeds: Sequence[int], dtype: str, given: NDArray[Any] | None
) -> tuple[Problem, Wide] | None:
    """The problem on the columns that its rows fill, and the networks with all; None where that changes bits or does
    not pay.

    given: as `fit` takes initial parameters.
    """
    whole = cast(MLP, problem.model)
    columns = few_columns(whole.X) if _leaves_others(config) else None
    if columns is None:
        return None
    no_rows = np.empty((0, whole.X.shape[1])), np.empty(0)
    network = MLP(*no_rows, whole.hidden, whole.n_outputs, whole.loss, whole.activation, config.batch_norm)
    begun = None if given is None else given.astype(dtype)
    wide = Wide(network, columns, tuple(seeds), config.initialization, dtype, begun)
    return replace(problem, model=replace(whole, X=whole.X[:, columns])), wide


def few_columns(X: Any) -> NDArray[np.int64] | None:
    """(c,) the columns that sparse rows fill, in ascending order; None for rows that are not sparse or fill many."""
    if not is_sparse(X):
        return None
    columns = np.unique(X.indices).astype(np.int64)
    return columns if ENOUGH * len(columns) < X.shape[1] else None


def _leaves_others(config: TrainConfig) -> bool:
    """Whether a run changes no weight without a gradient, and no number of it depends on how many there are."""
    reaching = config.l2, config.weight_decay, config.gradient_noise, config.clip_norm, config.sam, config.asynchronous
    if any(reaching) or config.averaging != "none" or config.curriculum != "none":
        return False
    rule = optimizers.get(config.optimizer.name)
    others = rule.numbers, rule.matrices, rule.reported, rule.optional
    return not any(others) and _rests(rule, config.optimizer.hyperparameters)


def _rests(rule: Optimizer, hyperparameters: Mapping[str, Any]) -> bool:
    """Whether the formula leaves a parameter alone that has had no gradient yet."""
    zeros = (0.0,) * len(rule.slots)
    rate, *others = (hyperparameters[declared.name] for declared in rule.hyperparameters)
    return all(
        tuple(rule.update(theta, 0.0, *zeros, rate, t, *others)) == (theta, *zeros)
        for theta in (0.7, -1.3)
        for t in STEPS
    )
