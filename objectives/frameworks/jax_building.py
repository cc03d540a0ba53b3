"""A `JaxModel` from what a user gives to `tasks.from_jax`, tried once before anything is trained."""

import inspect
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jax
import jax.numpy as jnp
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.jax import JaxModel
from cooldown.objectives.frameworks.jax_network import Functions, Network
from cooldown.objectives.frameworks.scoring import Scoring

CALL = "from_jax"


def functions_of(init: Any, apply: Any, loss: Any, stateful: Any, kind: str) -> Functions:
    """The user's functions as a network. loss: None for the default of a task of this kind."""
    for name, function in (("init", init), ("apply", apply), ("loss", loss)):
        if not callable(function) and not (name == "loss" and function is None):
            raise InputError(f"{CALL}({name}={function!r:.80}): must be a function")
    if not isinstance(stateful, bool):
        raise InputError(f"{CALL}(stateful={stateful!r:.80}): must be True or False")
    default: Callable[[Any, Any], Any] = cross_entropy if kind == "classification" else mean_squared_error
    return Functions(init, apply, loss or default, _arguments(apply) > 2 + stateful, stateful)


def model_of(
    network: Network, X: NDArray[Any], y: NDArray[Any], scoring: Scoring, metric: Any, devices: Any, call: str = CALL
) -> JaxModel:
    """The model, whose network has been tried on shapes, without computing anything. call: its name in messages."""
    known = len(jax.devices())
    if isinstance(devices, bool) or not isinstance(devices, int) or not 1 <= devices <= known:
        raise InputError(f"{call}(devices={devices!r}): must be a whole number from 1 to {known}, the devices of JAX")
    model = JaxModel(network, X, y, scoring, uuid4().hex, devices, metric)
    try:
        parameters, state = network.shapes
        leaves = jax.tree.leaves(parameters)
        if not leaves or any(not jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in leaves):
            raise InputError(f"{call}(init=...): must return a pytree of floating-point arrays, the parameters")
        if not all(_is_carried(leaf.dtype) for leaf in jax.tree.leaves(state)):
            raise InputError(f"{call}(init=...): the state must be a pytree of arrays of numbers")
        outputs, after = model.after_a_step(2, jax.random.key(0) if network.draws else None)
        if [leaf.shape for leaf in jax.tree.leaves(state)] != [leaf.shape for leaf in jax.tree.leaves(after)]:
            raise InputError(f"{call}(apply=...): must return the state in the shapes that it has been given")
        targets = jax.ShapeDtypeStruct((2, *y.shape[1:]), jnp.asarray(y[:1]).dtype)
        value = jax.eval_shape(network.loss, outputs, targets)
        model.shape_of_outputs(2)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{call}: init, apply or loss raised {type(error).__name__}: {error}") from error
    if getattr(value, "shape", None) != ():
        raise InputError(f"{call}(loss=...): must return one number, the mean over a batch, got {value}")
    return model


def check_outputs(model: JaxModel) -> None:
    """InputError for classes that have no output, which JAX would not notice."""
    row, highest = model.outputs_of_a_row(), model.y.max()
    if model.scoring.kind == "classification" and row and highest >= row[0]:
        raise InputError(f"{CALL}: classes up to {highest} need {highest + 1} outputs of apply, got {row[0]}")


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


def _is_carried(dtype: Any) -> bool:
    """Whether a state of this type is kept in columns of floating-point numbers."""
    return any(jnp.issubdtype(dtype, kind) for kind in (jnp.floating, jnp.integer, jnp.bool_))
