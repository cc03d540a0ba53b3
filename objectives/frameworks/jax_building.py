"""A `JaxModel` from what a user gives to `tasks.from_jax`, tried once before anything is trained."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.jax import JaxModel, Network
from cooldown.objectives.frameworks.scoring import Scoring

CALL = "from_jax"


def rows_of(parts: Mapping[str, Any]) -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    """Inputs and targets of each part that is given, as arrays; labels in words are numbered in order."""
    pairs = {}
    for key, part in parts.items():
        if part is None:
            continue
        if not isinstance(part, tuple | list) or len(part) != 2:
            raise InputError(f"{CALL}({key}=...): must be a pair (X, y), got {type(part).__name__}")
        pairs[key] = np.asarray(part[0]), np.asarray(part[1])
    if any(y.dtype.kind in "bOUS" for _, y in pairs.values()):
        labels = np.unique(np.concatenate([y for _, y in pairs.values()]))
        pairs = {key: (X, np.searchsorted(labels, y)) for key, (X, y) in pairs.items()}
    for key, (X, y) in pairs.items():
        where = f"{CALL}({key}=...)"
        for name, values in (("X", X), ("y", y)):
            if values.ndim == 0 or values.dtype.kind not in "biuf":
                raise InputError(f"{where}: {name} must be an array of numbers, one entry per row")
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values).reshape(len(values), -1).all(axis=1)))
                raise InputError(f"{where}: {name} must be finite numbers, got one that is not in row {row + 1}")
        if len(X) != len(y) or len(X) < 2:
            raise InputError(f"{where}: X and y must have the same number of rows, at least 2, got {len(X)}, {len(y)}")
    return pairs


def model_of(
    init: Any,
    apply: Any,
    X: NDArray[Any],
    y: NDArray[Any],
    loss: Any,
    scoring: Scoring,
    metric: Any,
    devices: Any,
) -> JaxModel:
    """The model, whose functions have been tried on shapes, without computing anything."""
    for name, function in (("init", init), ("apply", apply), ("loss", loss)):
        if not callable(function) and not (name == "loss" and function is None):
            raise InputError(f"{CALL}({name}={function!r:.80}): must be a function")
    known = len(jax.devices())
    if isinstance(devices, bool) or not isinstance(devices, int) or not 1 <= devices <= known:
        raise InputError(f"{CALL}(devices={devices!r}): must be a whole number from 1 to {known}, the devices of JAX")
    default: Callable[[Any, Any], Any] = cross_entropy if scoring.kind == "classification" else mean_squared_error
    network = Network(init, apply, loss or default, _arguments(apply) > 2)
    model = JaxModel(network, X, y, scoring, uuid4().hex, devices, metric)
    try:
        leaves = jax.tree.leaves(jax.eval_shape(init, jax.random.key(0)))
        if not leaves or any(not jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in leaves):
            raise InputError(f"{CALL}(init=...): must return a pytree of floating-point arrays, the parameters")
        outputs = model.shape_of_outputs(2)
        targets = jax.ShapeDtypeStruct((2, *y.shape[1:]), jnp.asarray(y[:1]).dtype)
        value = jax.eval_shape(network.loss, outputs, targets)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{CALL}: init, apply or loss raised {type(error).__name__}: {error}") from error
    if getattr(value, "shape", None) != ():
        raise InputError(f"{CALL}(loss=...): must return one number, the mean over a batch, got {value}")
    row = model.outputs_of_a_row()
    if loss is None and scoring.kind == "classification" and row and y.max() >= row[0]:
        raise InputError(f"{CALL}: classes up to {y.max()} need {y.max() + 1} outputs of apply, got {row[0]}")
    return model


def cross_entropy(outputs: Any, targets: Any) -> Any:
    """The mean cross-entropy of logits (B, K, …) for classes (B, …)."""
    logits = jax.nn.log_softmax(outputs, axis=1)
    return -jnp.take_along_axis(logits, jnp.expand_dims(targets, 1), axis=1).mean()


def mean_squared_error(outputs: Any, targets: Any) -> Any:
    """The mean squared error, where outputs (B, 1) are numbers for targets (B,) too."""
    return jnp.square(outputs.reshape(targets.shape) - targets).mean()


def _arguments(function: Callable[..., Any]) -> int:
    """How many arguments without a default a function has by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 2
    return sum(each.kind in kinds and each.default is inspect.Parameter.empty for each in given)
