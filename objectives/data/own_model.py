"""`ModelTask`: a user's own model, which holds its own data; splits are index sets over its rows."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.checks import (
    check_kind,
    check_n_samples,
    check_name,
    check_target,
    check_uninformed_loss,
)
from cooldown.objectives.data.task import Kind, Task
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices, Model, Parameters, Problem, evaluate
from cooldown.objectives.random_streams import generator
from cooldown.objectives.references import NO_MODEL

CHUNK = 1024


@dataclass(frozen=True, eq=False)
class ModelTask(Task):
    """A task from a user's own model.

    n_samples: number of rows of the model's data; splits are index sets over `range(n_samples)`. The model holds
        all its data, so the test rows are kept from a search by their indices only.
    labels: (n_samples,) classes to stratify the splits by, or None.
    uninformed: the baseline loss, or None for the mean held-out loss at ten fixed initializations.
    """

    name: str
    kind: Kind
    model: Model
    n_samples: int
    labels: NDArray[np.int64] | None = None
    uninformed: float | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows of the model's data."""
        return self.n_samples

    @property
    def strata(self) -> NDArray[np.int64] | None:
        """The labels."""
        return self.labels

    @property
    def references(self) -> tuple[str, ...]:
        """No model, if its loss is known; no other predictor knows the data of a user's own model."""
        return () if self.uninformed is None else (NO_MODEL,)

    def fingerprint(self) -> str:
        """SHA-256 of the model's results, because its code has no stable bytes.

        It covers the class's name, the sizes, the labels, the baseline loss, initial parameters for a fixed seed,
        and the losses and gradients there over all rows in chunks of 1024, on one thread. It changes with data or
        a loss that differ at that point, also in the last bit, as between two machines.
        """
        from threadpoolctl import threadpool_limits

        settings = (
            type(self.model).__qualname__,
            self.kind,
            self.model.size,
            self.n_samples,
            self.uninformed,
        )
        digest = sha256(repr(settings).encode())
        if self.labels is not None:
            digest.update(self.labels.tobytes())
        theta = np.asarray(self.model.init(generator(0, "fingerprint")), np.float64)[None]
        digest.update(theta.tobytes())
        with threadpool_limits(1):
            for start in range(0, self.n_samples, CHUNK):
                rows = np.arange(start, min(start + CHUNK, self.n_samples))[None]
                for result in self.model.loss_and_gradient(theta, rows):
                    digest.update(np.asarray(result, np.float64).tobytes())
        return digest.hexdigest()

    def problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of these rows; `held_out` may be empty, for a fit on all rows, whose baseline is then NaN."""
        if not len(held_out):
            return Problem(self.model, train, held_out, float("nan"))
        if self.uninformed is not None:
            return Problem(self.model, train, held_out, self.uninformed)
        theta = np.stack([self.model.init(generator(seed, "uninformed loss")) for seed in range(10)])
        try:
            losses, _ = evaluate(self.model, np.asarray(theta, np.float64), held_out)
        except Exception as error:
            raise InputError(
                f"task {self.name!r}: the model raised {type(error).__name__} on {len(held_out)} held-out rows: {error}"
            ) from error
        if not np.isfinite(losses).all():
            raise InputError(
                f"task {self.name!r}: the loss at initialization must be finite to serve as the baseline "
                f"loss, got {losses.max()}; give uninformed_loss"
            )
        return Problem(self.model, train, held_out, float(losses.mean()))

    def fitted(self, config: TrainConfig, n_seeds: int = 1, seed: int = 0) -> Any:
        """What `taken_home` makes of the trained parameters, for several seeds a list: see `Task.fitted`."""
        from cooldown.objectives.data.trained import trained_parameters

        models = [self.taken_home(theta) for theta in trained_parameters(self, config, n_seeds, seed)]
        return models[0] if n_seeds == 1 else models

    def taken_home(self, theta: Parameters) -> Any:
        """The trained model with the parameters `theta` (size,): these themselves, as the code is the user's."""
        return theta


def from_model(
    model: Model,
    *,
    n_samples: int,
    name: str,
    kind: Kind = "regression",
    labels: Any = None,
    uninformed_loss: float | None = None,
) -> ModelTask:
    """A task from a user's own model.

    model: any object with `size`, `init(rng) -> (P,)` and `loss_and_gradient(theta (R, P), indices (R, B)) ->
        losses (R,), gradients (R, P)`; see `objectives.problem.Model`. It is called here once to check this.
    n_samples: number of rows of its data, at least 10; all `indices` are below it.
    kind: decides the name of its score, if it has one. labels: (n_samples,) classes to stratify the splits by.
    uninformed_loss: the baseline loss, which is the held-out loss of an untrained predictor; reported losses are
        capped at it. By default the model's mean held-out loss at ten initializations with fixed seeds.

    Raises InputError for a model or an argument that breaks these rules.
    """
    check_name("from_model", name)
    check_kind(kind)
    n_rows = check_n_samples("from_model", n_samples)
    classes = None
    if labels is not None:
        classes, _ = check_target("from_model(labels=...)", labels, n_rows, "classification")
    uninformed = check_uninformed_loss("from_model", uninformed_loss)
    _check_model(model, n_rows)
    return ModelTask(name, kind, model, n_rows, classes, uninformed)


def _check_model(model: Any, n_samples: int) -> None:
    """Call every member once, for two replicates on batches of two rows, and check the results."""
    call = f"from_model({type(model).__name__})"
    for member in ("size", "init", "loss_and_gradient"):
        if not hasattr(model, member):
            raise InputError(f"{call}: a model must have size, init and loss_and_gradient; {member} is missing")
    size = model.size
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise InputError(f"{call}: size must be a whole number of at least 1, got {size!r}")
    try:
        starts = [np.asarray(model.init(generator(seed, "check of the model"))) for seed in (0, 0, 1)]
    except Exception as error:
        raise InputError(f"{call}: init(rng) raised {type(error).__name__}: {error}") from error
    _check_array(f"{call}: init(rng)", starts[0], (int(size),))
    if not np.array_equal(starts[0], starts[1]):
        raise InputError(f"{call}: init(rng) must draw from rng alone, but the same rng gave different parameters")
    theta = np.stack([starts[0], starts[2]]).astype(np.float32)
    indices = np.array([[0, 1], [n_samples - 1, n_samples - 2]])
    before = theta.copy(), indices.copy()
    try:
        returned = model.loss_and_gradient(theta, indices)
    except Exception as error:
        raise InputError(
            f"{call}: loss_and_gradient(theta {theta.shape}, indices {indices.shape}) raised "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(returned, tuple) or len(returned) != 2:
        raise InputError(f"{call}: loss_and_gradient must return (losses, gradients), got {type(returned).__name__}")
    _check_array(f"{call}: losses of loss_and_gradient", returned[0], (2,))
    _check_array(f"{call}: gradients of loss_and_gradient", returned[1], theta.shape)
    if not (np.array_equal(theta, before[0]) and np.array_equal(indices, before[1])):
        raise InputError(f"{call}: loss_and_gradient must not modify theta and indices")


def _check_array(what: str, values: Any, shape: tuple[int, ...]) -> None:
    array: Parameters = np.asarray(values)
    if array.shape != shape:
        raise InputError(f"{what} must have shape {shape}, got {array.shape}")
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise InputError(f"{what} must be finite numbers, got {array.ravel()[:3].tolist()}")
