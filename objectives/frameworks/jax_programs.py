"""`Programs`: a network's steps and measures, compiled by JAX."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from cooldown.objectives.frameworks.jax_network import Columns, Network

PLACES = 12
"""Replicates in one call of a program, padded: the number of those that train together changes no shape."""

WIDTH, SMALL = 4, 2**16
"""Replicates that are batched by vmap, for networks of at most SMALL parameters; larger ones gain nothing by it."""

ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}
"""Parallelism comes from the processes, and the order of a sum must not depend on it."""

MOST_NETWORKS = 32
"""Networks whose programs are kept."""

Array = NDArray[Any]


class Programs:
    """The compiled programs of one network in this process. devices: those that share the rows of a batch."""

    def __init__(self, network: Network, devices: int) -> None:
        self.network, self.columns, self._widths = network, Columns(network), dict[Any, int]()
        mesh = Mesh(np.array(jax.devices()[:devices]), ("rows",))
        self._over_devices = NamedSharding(mesh, PartitionSpec("rows")) if devices > 1 else None
        self._step = jax.jit(self._steps, static_argnames="width", compiler_options=ONE_THREAD)
        self.measure = jax.jit(self._measured, compiler_options=ONE_THREAD)

    def step(self, X: Any, y: Any, theta: Array, indices: Array, seeds: Array, n: int) -> tuple[Array, Array, Array]:
        """Losses (n,), gradients (n, P) and states (n, size − P) after it of the first n of PLACES replicates.

        theta: (PLACES, size). indices: (PLACES, B). seeds: (PLACES,).
        """
        key = theta.dtype, indices.shape[1]
        if key not in self._widths:
            self._widths[key] = self._width(X, y, theta, indices, seeds)
        width = self._widths[key]
        results = self._step(X, y, theta, indices, seeds, np.int32(-(-n // width)), width=width)
        losses, gradients, states = (np.asarray(each)[:n] for each in results)
        return losses, gradients, states

    def _width(self, X: Any, y: Any, theta: Array, indices: Array, seeds: Array) -> int:
        """How many replicates are batched: as many as give the same bits in every place, so that a replicate's bits do
        not depend on those beside it.
        """
        if theta.shape[1] > SMALL:
            return 1
        # Not the initial parameters themselves, whose gradient may be zero.
        moved, P = theta[:1].copy(), self.columns.trainable
        moved[:, :P] += np.random.default_rng(0).normal(0.0, 0.01, moved[:, :P].shape).astype(theta.dtype)
        alike = [np.repeat(each[:1], PLACES, axis=0) for each in (moved, indices, seeds)]
        results = self._step(X, y, *alike, np.int32(PLACES // WIDTH), width=WIDTH)
        return WIDTH if all((each == each[0]).all() for each in results) else 1

    def _steps(self, X: Any, y: Any, theta: Any, indices: Any, seeds: Any, groups: Any, width: int) -> Any:
        P, dtype = self.columns.trainable, theta.dtype

        def loss_of(flat: Any, carried: Any, rows: Any, seed: Any) -> Any:
            key = jax.random.key(seed) if self.network.draws else None
            parameters, state = self.columns.parameters(flat), self.columns.state(carried)
            outputs, after = self.network.outputs(parameters, state, self._shared(X[rows]), key)
            return self.network.loss(outputs, y[rows]), self.columns.of(after, dtype)

        def of_one(row: Any, rows: Any, seed: Any) -> Any:
            of_loss = jax.value_and_grad(loss_of, has_aux=True)
            (loss, after), gradient = of_loss(row[:P], row[P:], rows, seed)
            return loss, gradient, after

        of_group = jax.vmap(of_one) if width > 1 else _alone(of_one)

        grouped = [each.reshape(-1, width, *each.shape[1:]) for each in (theta, indices, seeds)]

        def step(group: Any, results: Any) -> Any:
            new = of_group(*(each[group] for each in grouped))
            return tuple(whole.at[group].set(part) for whole, part in zip(results, new, strict=True))

        n = len(theta)
        shapes = (n // width, width), (n // width, width, P), (n // width, width, theta.shape[1] - P)
        results = jax.lax.fori_loop(0, groups, step, tuple(jnp.zeros(shape, dtype) for shape in shapes))
        return tuple(each.reshape(n, *each.shape[2:]) for each in results)

    def _measured(self, X: Any, y: Any, row: Any, rows: Any) -> Any:
        """The loss of each of the rows (m,), and the outputs (m, …), of one replicate's columns (size,)."""
        P = self.columns.trainable
        outputs, _ = self.network.outputs(self.columns.parameters(row[:P]), self.columns.state(row[P:]), X[rows], None)
        of_rows: Any = jax.vmap(lambda output, target: self.network.loss(_batch(output), _batch(target)))
        return of_rows(outputs, y[rows]), outputs

    def _shared(self, rows: Any) -> Any:
        return rows if self._over_devices is None else jax.lax.with_sharding_constraint(rows, self._over_devices)


_programs: dict[str, Programs] = {}


def programs_of(identity: str, network: Network, devices: int) -> Programs:
    """The programs of the network with this identity, which all jobs of this process share."""
    if identity not in _programs:
        while len(_programs) >= MOST_NETWORKS:
            del _programs[next(iter(_programs))]
        _programs[identity] = Programs(network, devices)
    return _programs[identity]


def _alone(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of one replicate for a group of one."""

    def of_one(*inputs: Any) -> Any:
        return tuple(each[None] for each in function(*(each[0] for each in inputs)))

    return of_one


def _batch(tree: Any) -> Any:
    """One row's values as a batch of one row."""
    return jax.tree.map(lambda leaf: leaf[None], tree)
