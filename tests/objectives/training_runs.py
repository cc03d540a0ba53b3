"""What the tests of the training loop share: a small network, configs of all kinds, a model that keeps what it sees."""

import numpy as np
import pytest

from cooldown.objectives import Problem, TrainConfig
from cooldown.objectives.models.mlp import MLP

ROWS, HELD_OUT = 57, 901


def data(kind):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(ROWS + HELD_OUT, 6))
    target = np.sin(X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=len(X))
    return X, (np.digitize(target, [-0.4, 0.5]) if kind == "classification" else target[:, None])


def problem(kind="classification", hidden=(9,), activation="relu"):
    X, y = data(kind)
    loss, outputs = ("cross_entropy", 3) if kind == "classification" else ("squared_error", 1)
    model = MLP(X, y, hidden, outputs, loss, activation)
    return Problem(model, np.arange(ROWS), np.arange(ROWS, len(X)), 1.2)


def config(optimizer="momentum", schedule="constant", **fields):
    return TrainConfig.from_json({"optimizer": optimizer, "schedule": schedule, "epochs": 3, **fields})


def same(one, other):
    """Bit for bit, timing aside."""
    return (
        one.seed == other.seed
        and one.outcome is other.outcome
        and np.array_equal(one.train_loss, other.train_loss)
        and np.array_equal(one.held_out_loss, other.held_out_loss)
        and np.array_equal(one.held_out_score, other.held_out_score)
        and one.uninformed_loss == other.uninformed_loss
        and one.gradient_evaluations == other.gradient_evaluations
        and one.updates == other.updates
    )


class Recorder:
    """A user's model with the three members asked for: θ is pulled to the rows' points. It keeps what it sees."""

    size = 4

    def __init__(self, points=None):
        self.points = np.random.default_rng(7).normal(size=(30, self.size)) if points is None else points
        self.seen = []

    def __copy__(self):
        return self

    def init(self, rng):
        return rng.normal(size=self.size)

    def loss_and_gradient(self, theta, indices):
        self.seen.append((theta.copy(), indices.copy()))
        away = theta[:, None] - self.points[indices]
        return 0.5 * np.square(away).sum(axis=2).mean(axis=1), away.mean(axis=1)

    def problem(self, train=20):
        return Problem(self, np.arange(train), np.arange(train, 30), 1e9)

    def batches(self):
        """What was seen of the training rows: held-out rows come as one batch of their own."""
        return [(theta, rows) for theta, rows in self.seen if rows.max() < 20]


MIXED = [
    config("momentum", "cosine", batch_size=16),
    config({"name": "momentum", "learning_rate": 0.1, "momentum": 0.5}, "sgdr", batch_size=16, l2=0.01),
    config({"name": "momentum", "learning_rate": 1e18}, batch_size=16),  # diverges
    config({"name": "adam", "learning_rate": 0.1, "beta1": 0.5}, {"name": "step", "every": 0.4}, batch_size=16),
    config("adam", "linear", batch_size=16, epochs=2),
    config("adam", {"name": "cosine", "warmup_steps": 5}, batch_size=7),
    config({"name": "nag", "learning_rate": 0.002}, "exponential", batch_size=1, epochs=1),
    config("rmsprop", batch_size=1000),
    config("sgd", batch_size=16),
    config("adamw", batch_size=57),
]
SEEDS = [0, 11, 2]
SETTINGS = [(kind, dtype) for kind in ("classification", "regression") for dtype in (np.dtype("f4"), np.dtype("f8"))]
all_settings = pytest.mark.parametrize(("kind", "dtype"), SETTINGS, ids=[f"{k} {d.name}" for k, d in SETTINGS])
