"""`NetworkTask`: a user's own network from PyTorch, JAX or Keras with its rows, as a task."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.checks import ROWS, ROWS_TO_TRAIN, check_kind, check_target
from cooldown.objectives.data.own_model import ModelTask
from cooldown.objectives.data.splits import Split, split
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError
from cooldown.objectives.measures import Measure, checked
from cooldown.objectives.problem import Indices, Model, Parameters, Problem
from cooldown.objectives.random_streams import generator

FINGERPRINT_ROWS = 32
"""Rows of the batch whose gradient is part of a task's fingerprint: those of a default batch, for which there is a
compiled program."""


@runtime_checkable
class NetworkModel(Model, Protocol):
    """What a framework's model has beside a model's members."""

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Losses (R,) and scores (R,) of held-out rows."""

    def baseline(self, train: Indices, held_out: Indices) -> tuple[float, float] | None:
        """Loss and score on `held_out` of a predictor that knows the training targets alone; None if unknown."""

    def digest(self) -> bytes:
        """SHA-256 of its rows."""


@dataclass(frozen=True, eq=False)
class NetworkTask(ModelTask):
    """A task from a network of a framework's own.

    n_validation, n_test: how many of the rows, after those to train on, are the user's own validation and test rows;
    0 if they are drawn. measure: the name of the score, None for accuracy or R².
    """

    model: NetworkModel
    n_validation: int = 0
    n_test: int = 0
    measure: str | None = None

    @property
    def score_name(self) -> str:
        """The name of the score."""
        return self.measure or super().score_name

    @property
    def test_rows(self) -> Indices | None:
        """(n_test,) the last rows, or None."""
        return np.arange(self.n_samples - self.n_test, self.n_samples) if self.n_test else None

    def split(self, seed: int, repeat: int | None = None, replicate: int | None = None) -> Split:
        """The rows of one replicate: the user's own validation and test rows, where there are any, or drawn ones."""
        if not self.n_validation:
            return super().split(seed, repeat, replicate)
        n = self.n_samples - self.n_validation - self.n_test
        validation = np.arange(n, n + self.n_validation)
        if self.test_rows is not None:
            return Split(np.arange(n), validation, self.test_rows)
        drawn = split(n, None if self.labels is None else self.labels[:n], seed, repeat, replicate)
        return Split(drawn.rest, validation, drawn.test)

    def watched_by_fit(self, config: TrainConfig, seed: int) -> Indices | None:
        """The user's own validation rows, where there are any; else as for every task."""
        if config.reacts and self.n_validation:
            return self.split(seed).validation
        return super().watched_by_fit(config, seed)

    def fingerprint(self) -> str:
        """SHA-256 of the rows, and of what the network makes of some of them: its code has no stable bytes.

        It covers the settings, initial parameters for a fixed seed, and there the gradient of a batch and the measures
        of its rows. It changes with PyTorch's or JAX's version and with the machine where these change the last bit.
        """
        model, counts = self.model, (self.n_samples, self.n_validation, self.n_test)
        settings = type(model).__qualname__, self.kind, model.size, *counts, self.uninformed, self.score_name
        digest = sha256(repr(settings).encode() + model.digest())
        theta = np.asarray(model.init(generator(0, "fingerprint")), np.float32)[None]
        digest.update(theta.tobytes())
        rows = np.arange(min(self.n_samples, FINGERPRINT_ROWS))
        for results in (model.loss_and_gradient(theta, rows[None]), model.evaluate(theta, rows)):
            for result in results:
                digest.update(np.asarray(result, np.float64).tobytes())
        return digest.hexdigest()

    def problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of these rows; see `ModelTask.problem`."""
        baseline = self.model.baseline(train, held_out) if len(held_out) else None
        if baseline is None:
            return super().problem(train, held_out)
        loss, score = baseline
        known = loss if self.uninformed is None else self.uninformed
        return Problem(self.model, train, held_out, known, uninformed_score=score)


def kind_of(targets: NDArray[Any], kind: Any) -> Kind:
    """`kind` if it is one; for None whole numbers are classes, and floating-point numbers a regression."""
    if kind is not None:
        return check_kind(kind)
    return "regression" if targets.dtype.kind == "f" else "classification"


def labels_of(call: str, targets: NDArray[Any], kind: Kind, drawn: bool, drawn_test: bool) -> NDArray[np.int64] | None:
    """(n,) classes to stratify by; None for a regression, for several classes per row, and if no rows are drawn.

    Raises InputError where there are too few rows to draw from.
    """
    if not drawn or (kind == "classification" and targets.ndim > 1):
        return None
    where = f"{call}(y=...)"
    if targets.ndim == 1:
        known, _ = check_target(where, targets, len(targets), kind, drawn_test=drawn_test)
        return np.asarray(known, np.int64) if kind == "classification" else None
    least = ROWS if drawn_test else ROWS_TO_TRAIN
    if len(targets) < least:
        raise InputError(f"{where}: at least {least} rows are needed to split them, got {len(targets)}")
    return None


def measure_of(metrics: Any, kind: Kind, targets: NDArray[Any], call: str) -> tuple[Measure | None, Any, str | None]:
    """The measure by its name, the user's own function, and the name of the score; of the first two at most one.

    metrics: the name of a scorer of scikit-learn, a function of outputs and targets whose higher values are better, or
    None for accuracy or R².
    """
    if metrics is None:
        return None, None, None
    if callable(metrics):
        return None, metrics, getattr(metrics, "__name__", type(metrics).__name__)
    if not isinstance(metrics, str):
        raise InputError(
            f"{call}(metrics={metrics!r:.80}): must be the name of a scorer of scikit-learn or a function of "
            "outputs and targets: a run has one score"
        )
    if targets.ndim > 1 and kind == "classification":
        raise InputError(f"{call}(metrics={metrics!r}): is for one class per row, got targets of shape {targets.shape}")
    classes = int(targets.max()) + 1 if kind == "classification" else None
    measure = checked(
        "metrics", metrics, classes=classes, targets=1 if targets.ndim == 1 else int(np.prod(targets.shape[1:]))
    )
    return measure, None, measure.name
