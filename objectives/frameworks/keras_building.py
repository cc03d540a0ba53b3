"""The model of a task from what a user gives to `tasks.from_keras`, tried once before anything is trained."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.keras_model import CALL, KerasLoss, KerasMaker, KerasMetric, Stateless
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.frameworks.seeding import seeded
from cooldown.objectives.measures import Measure
from cooldown.objectives.problem import Parameters

if TYPE_CHECKING:
    from cooldown.objectives.frameworks.jax import JaxModel
    from cooldown.objectives.frameworks.torch import TorchModel

BACKENDS = "jax", "torch"

EXAMPLES = 256
"""At most so many rows are looked at to see whether outputs are probabilities."""


def model_of(
    make: Any, X: NDArray[Any], y: NDArray[Any], loss: Any, kind: Any, measure: Measure | None, metric: Any
) -> "TorchModel | JaxModel":
    """The model for Keras's back end, whose model and loss have been called on some rows."""
    backend = keras.config.backend()
    if backend not in BACKENDS:
        raise InputError(
            f"{CALL}: Keras's back end is {backend}, and models are trained on {' or '.join(BACKENDS)}: set the "
            f"environment variable KERAS_BACKEND={BACKENDS[0]} before Keras is first imported"
        )
    if not callable(make) or isinstance(make, keras.Model):
        raise InputError(
            f"{CALL}(make_model=...): must be a function without arguments that makes a keras.Model, got "
            f"{type(make).__name__}"
        )
    maker = KerasMaker(make, X.shape[1:], X.dtype.name, backend)
    try:
        with _generators_kept(backend):
            outputs, carried = _tried(maker, X[:EXAMPLES])
        probabilities = kind == "classification" and _are_probabilities(outputs)
        of_keras = _loss(loss, kind, y, outputs.shape[1:], probabilities)
        scoring = Scoring(kind, measure, probabilities)
        scored_by = None if metric is None else KerasMetric(metric)
        if backend == "torch":
            return _for_torch(maker, X, y, of_keras, scoring, scored_by)
        from cooldown.objectives.frameworks import jax_building
        from cooldown.objectives.frameworks.keras_jax import KerasNetwork

        return jax_building.model_of(KerasNetwork(maker, of_keras, carried), X, y, scoring, scored_by, 1, CALL)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{CALL}: the model or its loss raised {type(error).__name__}: {error}") from error


def _for_torch(
    maker: KerasMaker, X: NDArray[Any], y: NDArray[Any], loss: KerasLoss, scoring: Scoring, metric: Any
) -> "TorchModel":
    import torch

    from cooldown.objectives.frameworks import torch_building
    from cooldown.objectives.frameworks.keras_torch import ModuleMaker
    from cooldown.objectives.frameworks.torch_rows import InMemory

    rows = InMemory(torch.tensor(X), torch.tensor(y))
    return torch_building.model_of(ModuleMaker(maker), rows, y, loss, scoring, metric, "auto")


def taken_home(model: Any, theta: Parameters) -> Any:
    """The Keras model with the values `theta` (size,) of a replicate of a model that `model_of` made."""
    if keras.config.backend() == "torch":
        return model.make.taken_home(model.module_of(theta))
    return model.network.taken_home(*model.both_of(theta))


def _tried(maker: KerasMaker, X: NDArray[Any]) -> tuple[NDArray[Any], tuple[bool, ...]]:
    """Outputs for the rows X (m, …), and which of the variables that are not trainable a replicate has of its own."""
    with seeded(0):
        one = maker.new()
    with seeded(1):
        other = maker.new()
    if one is other:
        raise InputError(f"{CALL}(make_model=...): must make a new model every time, but it returned the same one")
    if not one.trainable_variables:
        raise InputError(f"{CALL}(make_model=...): {one.name} has no variables to train")
    outputs = one(X, training=False)
    if one.losses:
        raise InputError(
            f"{CALL}(make_model=...): {one.name} adds losses of its own, as regularizers do, which would not be "
            "trained: leave them out; the strategy l2 penalizes weights"
        )
    if not keras.ops.is_tensor(outputs) or not outputs.shape or outputs.shape[0] != len(X):
        raise InputError(f"{CALL}(make_model=...): {one.name} must have one output, with a row for each row of X")
    with keras.StatelessScope() as scope:
        one(X, training=True)
    if scope.state_mapping.keys() - {id(variable) for variable in one.variables}:
        raise InputError(
            f"{CALL}(make_model=...): {one.name} changes variables that are not its own, as a random operation without "
            "a keras.random.SeedGenerator of the layer's does: they would be the same for every replicate and update"
        )
    return _numbers(outputs), tuple(
        scope.get_current_value(variable) is not None
        or not np.array_equal(_numbers(variable.value), _numbers(elsewhere.value))
        for variable, elsewhere in zip(Stateless(one).others, Stateless(other).others, strict=True)
    )


@contextmanager
def _generators_kept(backend: str) -> Iterator[None]:
    """In which dropout may draw from PyTorch's generator."""
    if backend != "torch":
        yield
        return
    from cooldown.objectives.frameworks.torch_random import Draws

    with Draws() as draws:
        draws.seed(0)
        yield


def _numbers(values: Any) -> NDArray[Any]:
    return np.asarray(keras.ops.convert_to_numpy(values))


def _are_probabilities(outputs: NDArray[Any]) -> bool:
    """Whether the outputs (m, K) of an untrained classifier are probabilities, not logits."""
    if outputs.ndim != 2:
        return False
    if outputs.shape[1] == 1:
        return bool(((outputs > 0) & (outputs < 1)).all())
    return bool((outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def _loss(loss: Any, kind: str, y: NDArray[Any], row: tuple[int, ...], probabilities: bool) -> KerasLoss:
    """The user's loss, or the default for this kind of task. row: the shape of the outputs for one row."""
    if loss is not None:
        return KerasLoss(_named(loss))
    if kind == "regression":
        return KerasLoss(keras.losses.MeanSquaredError())
    if y.ndim > 1 or len(row) != 1:
        raise InputError(
            f"{CALL}: without a loss of your own, a classification has one class per row and outputs (n, K), got y of "
            f"shape {y.shape} and outputs (n, {', '.join(map(str, row))})"
        )
    if y.max() >= max(row[0], 2):
        raise InputError(f"{CALL}: classes up to {y.max()} need {y.max() + 1} outputs of the model, got {row[0]}")
    default: Callable[..., Any] = keras.losses.SparseCategoricalCrossentropy
    if row[0] == 1:
        default = keras.losses.BinaryCrossentropy
    return KerasLoss(default(from_logits=not probabilities))


def _named(loss: Any) -> Callable[[Any, Any], Any]:
    """The loss that a name or an object of Keras means, or a function of targets and outputs."""
    try:
        known = keras.losses.get(loss)
    except (TypeError, ValueError):
        known = None
    if not callable(known):
        raise InputError(
            f"{CALL}(loss={loss!r:.80}): must be the name of a loss of Keras, such as 'mean_absolute_error', or a "
            "function of y_true and y_pred"
        )
    of: Callable[[Any, Any], Any] = known
    return of
