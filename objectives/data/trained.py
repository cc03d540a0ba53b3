"""`trained_parameters`: a model of the user's own, trained on all rows of its task."""

import warnings

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.task import Task
from cooldown.objectives.errors import CooldownWarning, InputError
from cooldown.objectives.problem import Parameters
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.records import Outcome
from cooldown.objectives.training.engine import fit


def trained_parameters(task: Task, config: TrainConfig, n_seeds: int, seed: int) -> list[Parameters]:
    """The trained parameters (size,) of `n_seeds` replicates, without those that diverged; see `Task.fitted`.

    Replicate i does not depend on `n_seeds`. Raises InputError if all diverge.
    """
    if isinstance(n_seeds, bool) or not isinstance(n_seeds, int | np.integer) or n_seeds < 1:
        raise InputError(f"n_seeds must be a whole number of at least 1, got {n_seeds!r}")
    watched = task.watched_by_fit(config, seed)
    held_out = np.array([], np.int64) if watched is None else watched
    problem = task.problem(np.setdiff1d(np.arange(task.n_rows), held_out), held_out)
    fitted = fit(problem, config, seeds(seed, "fitted", count=int(n_seeds)))
    diverged = [curve.outcome is Outcome.DIVERGED for curve in fitted.curves]
    trained = list(fitted.theta[~np.array(diverged)])
    advice = f"try a learning rate below {config.optimizer.hyperparameters['learning_rate']:g}, or clip_norm"
    if not trained:
        raise InputError(f"task {task.name!r}: all {n_seeds} seeds diverged, so there is no model; {advice}")
    if any(diverged):
        warnings.warn(
            f"task {task.name!r}: {sum(diverged)} of {n_seeds} seeds diverged and are left out; {advice}",
            CooldownWarning,
            stacklevel=2,
        )
    return trained
