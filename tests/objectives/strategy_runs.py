"""What the tests of strategies share: a small network, and a config to which a strategy is added."""

import numpy as np

from cooldown.objectives import Problem, TrainConfig
from cooldown.objectives.models.mlp import MLP

ROWS, HELD_OUT, FEATURES = 60, 40, 5


def problem(hidden=(8, 6), activation="relu"):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(ROWS + HELD_OUT, FEATURES))
    y = np.digitize(np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=len(X)), [-0.4, 0.5])
    return Problem(MLP(X, y, hidden, 3, "cross_entropy", activation), np.arange(ROWS), np.arange(ROWS, len(X)), 1.2)


def config(**fields):
    return TrainConfig.from_json(
        {"optimizer": {"name": "momentum", "learning_rate": 0.1}, "batch_size": 16, "epochs": 6, **fields}
    )
