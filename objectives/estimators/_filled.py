"""A fit on sparse rows trains the weights of the columns that its rows fill: all others stay as they were drawn.

No row of the fit multiplies them, and a rule whose state is zero leaves a weight without a gradient alone. So a network
of 50,000 words, of which the rows have a fifth, takes the memory and the time of that fifth, with the bits of all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.optimizers import Optimizer
from cooldown.objectives.problem import Problem
from cooldown.objectives.training.assembly import replicates_of
from cooldown.objectives.training.engine import Fitted
from cooldown.objectives.training.replicates import Standing, initial_parameters

ENOUGH = 2
"""A network is narrowed if its rows fill fewer than one column in so many."""

STEPS = (1, 2, 10, 1000)
"""Numbers of updates at which a rule is asked what it does where nothing has happened yet."""


@dataclass(frozen=True, eq=False)
class Filled:
    """The problem of a fit on the columns that its rows fill.

    problem: on these. initial: (R, size) its parameters to begin with. whole: (R, whole size) those of the network with
    all columns. places: (size,) where the one's are in the other's.
    """

    problem: Problem
    initial: NDArray[Any]
    whole: NDArray[Any]
    places: NDArray[np.int64]

    def widened(self, theta: NDArray[Any], seeds: Any = slice(None)) -> NDArray[Any]:
        """(r, whole size) parameters of the whole network, for those (r, size) of the replicates `seeds`, by place."""
        found: NDArray[Any] = self.whole[seeds].copy()
        found[:, self.places] = theta
        return found

    def fitted(self, narrow: Fitted, seeds: Sequence[int]) -> Fitted:
        """The result for the whole network. seeds: all of the fit."""
        theta = self.widened(narrow.theta)
        if narrow.standing is None:
            return replace(narrow, theta=theta)
        left = [list(seeds).index(replicate.seed) for replicate in narrow.standing.replicates]
        return replace(narrow, theta=theta, standing=self._standing(narrow.standing, theta[left]))

    def _standing(self, narrow: Standing, theta: NDArray[Any]) -> Standing:
        """The state from which the whole network's training goes on. theta: (r, whole size) its parameters."""
        slots, replicates, trained = narrow.state.shape
        beside = self.whole.shape[1] - len(self.places)
        state = np.zeros((slots, replicates, trained + beside), narrow.state.dtype)
        # What is not trained, such as running statistics, comes last.
        state[:, :, self.places[:trained]] = narrow.state
        # A rule that reports other parameters than it trains is none of those here.
        return replace(narrow, theta=theta, state=state, reported=theta)


def filled(
    problem: Problem, config: TrainConfig, seeds: Sequence[int], dtype: str, initial: NDArray[Any] | None
) -> Filled | None:
    """The problem on the columns that its rows fill; None where that changes bits or does not pay.

    initial: as `fit` takes it.
    """
    whole = cast(MLP, problem.model)
    if not is_sparse(whole.X) or not _leaves_others(config):
        return None
    columns = np.unique(whole.X.indices)
    if ENOUGH * len(columns) >= whole.X.shape[1]:
        return None
    network = whole.with_batch_norm() if config.batch_norm else whole
    replicates = replicates_of([problem] * len(seeds), config, seeds)
    drawn = np.empty((len(seeds), network.size), dtype)
    # One after the other: in the precision in which they are drawn, all of them take longer to hold than to draw.
    for of_seed, replicate in zip(drawn, replicates, strict=True):
        of_seed[:] = initial_parameters([replicate], network, network)[0]
    if initial is not None:
        known = np.isfinite(initial).all(axis=1)
        drawn[known] = initial[known]
    first = network.layers[0]
    of_columns = columns[:, None] * first.outputs + np.arange(first.outputs)
    places = np.concatenate([of_columns.ravel(), np.arange(first.bias, network.size)])
    narrow = replace(problem, model=replace(whole, X=whole.X[:, columns]))
    return Filled(narrow, drawn[:, places], drawn, places)


def _leaves_others(config: TrainConfig) -> bool:
    """Whether a run changes no weight without a gradient, and no number of it depends on how many there are."""
    reaching = config.l2, config.weight_decay, config.gradient_noise, config.clip_norm, config.sam, config.asynchronous
    if any(reaching) or config.averaging != "none" or config.curriculum != "none":
        return False
    rule = optimizers.get(config.optimizer.name)
    # Of a rule that is idle, an update is that of the filled columns in any case.
    others = rule.idle_without_gradient, rule.numbers, rule.matrices, rule.reported, rule.optional
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
