"""Networks for JAX: functions of their parameters and of a state, and both as columns of θ."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Matrix


class Network(Protocol):
    """What is trained. Parameters and state are pytrees: rules change the parameters, a training step the state."""

    @property
    def draws(self) -> bool:
        """Whether a training step draws random numbers."""

    @property
    def shapes(self) -> tuple[Any, Any]:
        """Parameters and state as `jax.ShapeDtypeStruct`s."""

    def drawn(self, seed: int) -> tuple[Any, Any]:
        """Initial parameters and state, from `seed` (below 2**31) alone."""

    def outputs(self, parameters: Any, state: Any, X: Any, key: Any) -> tuple[Any, Any]:
        """Outputs for a batch X (B, …), and the state after it. key: None in an evaluation, whose state is ignored."""

    def loss(self, outputs: Any, y: Any) -> Any:
        """The mean loss of a batch."""


@dataclass(frozen=True)
class Functions:
    """The user's functions as a network.

    init: key → parameters, a pytree of floating-point arrays; if `stateful`, a pair of these and a state of numbers.
    apply: parameters, X (B, …) → outputs (B, …); if `stateful`: parameters, state, X → outputs, state. If `draws`, with
    one argument more, the key of what a training step draws, which is None in evaluations. loss_of: outputs, y (B, …) →
    the mean loss.
    """

    init: Callable[[Any], Any]
    apply: Callable[..., Any]
    loss_of: Callable[[Any, Any], Any]
    draws: bool
    stateful: bool = False

    @property
    def shapes(self) -> tuple[Any, Any]:
        """Nothing is computed for them; raises what `init` raises."""
        return self._both(jax.eval_shape(self.init, jax.random.key(0)))

    def drawn(self, seed: int) -> tuple[Any, Any]:
        """What the user's `init` draws with the key of `seed`."""
        return self._both(self.init(jax.random.key(seed)))

    def outputs(self, parameters: Any, state: Any, X: Any, key: Any) -> tuple[Any, Any]:
        """What the user's `apply` gives."""
        given = (parameters, *((state,) if self.stateful else ()), X, *((key,) if self.draws else ()))
        returned = self.apply(*given)
        if not self.stateful:
            return returned, state
        outputs, after = returned
        return outputs, after

    def loss(self, outputs: Any, y: Any) -> Any:
        """What the user's loss gives."""
        return self.loss_of(outputs, y)

    def _both(self, returned: Any) -> tuple[Any, Any]:
        if not self.stateful:
            return returned, ()
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            raise InputError("from_jax(init=...): with stateful=True it must return a pair of parameters and a state")
        return returned[0], returned[1]


class Columns:
    """A network's parameters and state as numbers in a row: first the P parameters, then the state."""

    def __init__(self, network: Network) -> None:
        self._shapes = network.shapes
        (self._parameters, of_parameters), (self._state, of_state) = map(jax.tree.flatten, self._shapes)
        self._trees = of_parameters, of_state

    @cached_property
    def trainable(self) -> int:
        """P, the number of parameters."""
        return _size(self._parameters)

    @cached_property
    def matrices(self) -> tuple[Matrix, ...]:
        """The parameters with two dimensions, inputs × outputs."""
        starts = np.cumsum([0, *(_size([leaf]) for leaf in self._parameters)]).tolist()
        pairs = zip(starts, self._parameters, strict=False)
        return tuple(Matrix(start, *leaf.shape) for start, leaf in pairs if len(leaf.shape) == 2)

    @cached_property
    def size(self) -> int:
        """The number of all columns."""
        return self.trainable + _size(self._state)

    def parameters(self, columns: Any) -> Any:
        """The pytree of parameters from `columns` (P,)."""
        return jax.tree.unflatten(self._trees[0], _parts(columns, self._parameters))

    def state(self, columns: Any) -> Any:
        """The pytree of the state from `columns` (size − P,): counters as whole numbers again."""
        parts = [
            part if jnp.issubdtype(leaf.dtype, jnp.floating) else part.astype(leaf.dtype)
            for part, leaf in zip(_parts(columns, self._state), self._state, strict=True)
        ]
        return jax.tree.unflatten(self._trees[1], parts)

    def of(self, tree: Any, dtype: Any) -> Any:
        """The numbers of parameters or of a state as a row of `dtype`."""
        leaves = [jnp.asarray(leaf, dtype).reshape(-1) for leaf in jax.tree.leaves(tree)]
        return jnp.concatenate(leaves) if leaves else jnp.zeros(0, dtype)

    def initial(self, network: Network, seed: int) -> NDArray[np.float64]:
        """(size,) a new network's parameters and state."""
        leaves = [np.asarray(leaf, np.float64).reshape(-1) for leaf in jax.tree.leaves(network.drawn(seed))]
        return np.concatenate(leaves)


def _size(leaves: list[Any]) -> int:
    return sum(int(np.prod(leaf.shape, dtype=int)) for leaf in leaves)


def _parts(columns: Any, leaves: list[Any]) -> list[Any]:
    ends = np.cumsum([_size([leaf]) for leaf in leaves])[:-1]
    parts = jnp.split(columns, ends) if leaves else []
    return [part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
