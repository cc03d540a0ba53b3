"""Problems with rows of their own on one perceptron, so that their replicates can be trained together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cooldown.objectives.models import measuring
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.models.sparse_rows import stacked
from cooldown.objectives.problem import Problem


def joined(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The same problems on one `MLP`, which holds the rows of all, one problem after the other.

    problems: at least one, without a monitor, with networks of the same shape. Row numbers are shifted; what is trained
    and measured keeps every bit.
    """
    models = [problem.model for problem in problems if isinstance(problem.model, MLP)]
    starts = np.cumsum([0, *(len(model.y) for model in models)])[:-1]
    X, y = stacked([model.X for model in models]), np.concatenate([model.y for model in models])
    weights = None
    if models[0].weights is not None:
        weights = np.concatenate([model.weights for model in models if model.weights is not None])
    measured = measuring.joined([model.measuring for model in models])
    model = replace(models[0], X=X, y=y, weights=weights, measuring=measured)
    return tuple(
        replace(problem, model=model, train=problem.train + start, held_out=problem.held_out + start)
        for problem, start in zip(problems, starts, strict=True)
    )
