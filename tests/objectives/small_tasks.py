"""What the tests of tasks share: a task whose rows can be read off a problem, and a model as a user writes one."""

import numpy as np

from cooldown.objectives import tasks


def marked(n=100, kind="classification", **options):
    """A task whose single feature, unscaled, is the row's number: what a problem holds can be read off it."""
    X = np.arange(n, dtype=float)[:, None]
    y = np.repeat(["a", "b"], [3 * n // 4, n - 3 * n // 4]) if kind == "classification" else X[:, 0] ** 2
    task = tasks.from_arrays(X, y, name="marked", kind=kind, **options)
    return tasks.ArrayTask("marked", kind, task.load, standardize=False)


class Quadratic:
    """½‖θ − x‖² averaged over a batch of points x."""

    def __init__(self, points):
        self.points = points

    @property
    def size(self):
        return self.points.shape[1]

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        difference = theta[:, None, :] - self.points[indices]
        return 0.5 * np.square(difference).sum(axis=2).mean(axis=1), difference.mean(axis=1)
