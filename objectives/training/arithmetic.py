"""The arithmetic digest of a machine: two machines with one digest round alike, and give the same curves."""

from functools import cache
from hashlib import sha256

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import generator
from cooldown.objectives.training.engine import train

ROWS, FEATURES, EPOCHS = 192, 40, 3
"""Of the tiny run: more than the vector width and block of any matrix product."""

CONFIGS = (
    TrainConfig.from_json({"optimizer": "momentum", "schedule": "cosine", "epochs": EPOCHS}),
    TrainConfig.from_json({"optimizer": "adam", "epochs": EPOCHS}),
)
"""Between them products, sums, roots, powers and, with the losses, exponentials and logarithms."""


@cache
def arithmetic_digest() -> str:
    """16 hexadecimal digits of the SHA-256 of what a tiny training run gives on this machine, to the last bit."""
    rng = generator(0, "arithmetic digest")
    X, y = rng.normal(size=(ROWS, FEATURES)), rng.integers(0, 3, ROWS)
    train_rows, held_out = np.arange(ROWS - 64), np.arange(ROWS - 64, ROWS)
    digest = sha256()
    for model in (
        MLP(X, y, (24,), 3, "cross_entropy"),
        MLP(X, X[:, :2], (24,), 2, "squared_error", "tanh"),
    ):
        # Compiling a pass for each of the losses takes two seconds, and an experiment needs one of them.
        for curves in train(Problem(model, train_rows, held_out, 10.0), CONFIGS, [0], compiled_passes=False):
            for curve in curves:
                digest.update(curve.train_loss.tobytes() + curve.held_out_loss.tobytes())
    return digest.hexdigest()[:16]
