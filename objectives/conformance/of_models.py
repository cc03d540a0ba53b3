"""The rules for a user's own model, as `tasks.from_model` takes it."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cooldown.objectives.conformance.check import Check, expect
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Parameters, trainable
from cooldown.objectives.random_streams import generator
from cooldown.objectives.tasks import ModelTask, Task

DIRECTIONS, ROWS, REPLICATES = 8, 5, 3
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)
"""Step sizes of the finite differences: a large one is coarse, a small one loses digits; the closest result counts."""


def model_checks(task: Task) -> list[Check]:
    """The checks of the model in a task from `tasks.from_model`; InputError for any other task."""
    if not isinstance(task, ModelTask):
        raise InputError(f"model_checks(task={task!r:.80}): should be a task from tasks.from_model")
    laws = {
        "its gradient is the gradient of its loss": _gradient,
        "does not modify parameters and indices": _inputs,
        "a replicate gives the same bits with others and alone": _batched,
    }
    return [Check(f"model: {law}", partial(check, task)) for law, check in laws.items()]


def _theta(task: ModelTask, dtype: type) -> Parameters:
    """(REPLICATES, P) initial parameters, perturbed, because models may start from symmetric points."""
    starts = [task.model.init(generator(seed, "conformance")) for seed in range(REPLICATES)]
    moved = [start + 0.01 * generator(seed, "moved").normal(size=len(start)) for seed, start in enumerate(starts)]
    return np.asarray(np.stack(moved), dtype)


def _rows(task: ModelTask) -> NDArray[np.int64]:
    """(REPLICATES, ROWS) rows of the data."""
    return generator(0, "rows").integers(0, task.n_samples, (REPLICATES, ROWS))


def _gradient(task: ModelTask) -> None:
    theta, rows, parameters = _theta(task, np.float64)[:1], _rows(task)[:1], trainable(task.model)
    gradient = np.array(task.model.loss_and_gradient(theta, rows)[1], np.float64)[0]
    rng = generator(0, "directions")

    def loss(point: Parameters) -> float:
        return float(np.asarray(task.model.loss_and_gradient(point, rows)[0])[0])

    for _ in range(DIRECTIONS):
        drawn = np.zeros(theta.shape[1])
        drawn[:parameters] = rng.normal(size=parameters)
        direction = drawn / np.linalg.norm(drawn)
        slope = float(gradient @ direction[:parameters])
        slopes = [(loss(theta + step * direction) - loss(theta - step * direction)) / (2 * step) for step in STEPS]
        nearest = float(slopes[int(np.abs(np.array(slopes) - slope).argmin())])
        expect(
            abs(nearest - slope) <= 1e-3 * max(abs(slope), abs(nearest), 1e-3),
            f"along a random direction the gradient gives the slope {slope:.6g}, finite differences {nearest:.6g}",
        )


def _inputs(task: ModelTask) -> None:
    for dtype in (np.float32, np.float64):
        theta, rows = _theta(task, dtype), _rows(task)
        before = theta.copy(), rows.copy()
        task.model.loss_and_gradient(theta, rows)
        parameters = slice(trainable(task.model))
        expect(
            np.array_equal(theta[:, parameters], before[0][:, parameters]), "loss_and_gradient changes theta in place"
        )
        expect(np.array_equal(rows, before[1]), "loss_and_gradient changes indices in place")


def _batched(task: ModelTask) -> None:
    theta, rows = _theta(task, np.float32), _rows(task)
    with threadpool_limits(1):
        losses, gradients = (np.array(result) for result in task.model.loss_and_gradient(theta, rows))
        for place in range(REPLICATES):
            row = slice(place, place + 1)
            loss, gradient = (np.array(result)[0] for result in task.model.loss_and_gradient(theta[row], rows[row]))
            expect(
                loss == losses[place] and np.array_equal(gradient, gradients[place]),
                f"replicate {place} has the loss {losses[place]!r} with others and {loss!r} alone, or another "
                "gradient: the result of a run would depend on which others are trained with it",
            )
