"""Networks of computed claims: trained on a task's rows at one setting, without a search."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.problem import Problem, evaluate
from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import Task
from cooldown.search.claims.budgets import Budget

MOST_ROWS = 1000
"""Rows to train on: fewer than such a network has parameters, so that it can fit labels that have no rule."""

EPOCHS: dict[Budget, int] = {"small": 150, "standard": 300, "full": 600}


@dataclass(frozen=True, eq=False)
class Trained:
    """A network after training.

    theta: (P,) its parameters. model: the network, with batch normalization if it has that. problem: the rows that it
    was trained and measured on.
    """

    model: Any
    theta: NDArray[np.float64]
    problem: Problem

    def accuracy(self, rows: NDArray[np.int64]) -> float:
        """The share of `rows` (n,) that are classified as they are labelled."""
        _, (score,) = evaluate(self.model, self.theta[None], rows)
        return float(score)


def trained(task: Task, width: int, budget: Budget, repeat: int, **fields: Any) -> Trained:
    """A network of one hidden layer, trained by Adam on rows of a repeat, without any regularization but what `fields`
    say: further fields of a `TrainConfig`, such as `batch_norm=True`.
    """
    # Whoever only asks what a claim says loads no engine.
    from cooldown.objectives.training.engine import fit

    config = TrainConfig.from_json(
        {
            "optimizer": {"name": "adam", "learning_rate": 0.003},
            "batch_size": 32,
            "epochs": EPOCHS[budget],
            **fields,
        }
    )
    (problem,) = task.with_hidden((width,)).evaluation_problems(0, repeat, [repeat])
    rows = generator(0, "claim", "rows", repeat).permutation(problem.train)[:MOST_ROWS]
    problem = replace(problem, train=np.sort(rows))
    model: Any = problem.model
    fitted = fit(problem, config, [repeat])
    return Trained(model.with_batch_norm() if config.batch_norm else model, fitted.theta[0].astype(np.float64), problem)
