"""`JaxModel`: a network of the user's own, as functions for JAX, as a model that the engine trains with its rules."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.problem import Indices, Parameters

PLACES = 12
"""Replicates in one call of a program, padded: the number of those that train together changes no shape."""

WIDTH, SMALL = 4, 2**16
"""Replicates that are batched by vmap, for networks of at most SMALL parameters; larger ones gain nothing by it."""

EVALUATION_ROWS = 256
"""Held-out rows in one call, padded."""

ONE_THREAD = {"xla_cpu_multi_thread_eigen": False}
"""Parallelism comes from the processes, and the order of a sum must not depend on it."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Network:
    """The user's functions.

    init: key → parameters, a pytree of floating-point arrays. apply: parameters, X (B, …) → outputs (B, …); if `draws`,
    with a third argument, the key of what a training step draws, which is None in evaluations. loss: outputs,
    y (B, …) → the mean loss.
    """

    init: Callable[[Any], Any]
    apply: Callable[..., Any]
    loss: Callable[[Any, Any], Any]
    draws: bool

    def outputs(self, parameters: Any, X: Any, key: Any) -> Any:
        """The outputs for a batch; key: None in an evaluation."""
        return self.apply(parameters, X, key) if self.draws else self.apply(parameters, X)


class Programs:
    """The compiled programs of one network in this process. devices: those that share the rows of a batch."""

    def __init__(self, network: Network, devices: int) -> None:
        self.network, self._widths = network, dict[Any, int]()
        mesh = Mesh(np.array(jax.devices()[:devices]), ("rows",))
        self._over_devices = NamedSharding(mesh, PartitionSpec("rows")) if devices > 1 else None
        self._step = jax.jit(self._steps, static_argnames="width", compiler_options=ONE_THREAD)
        self.measure = jax.jit(self._measured, compiler_options=ONE_THREAD)

    def step(self, X: Any, y: Any, theta: Array, indices: Array, seeds: Array, n: int) -> tuple[Array, Array]:
        """Losses (n,) and gradients (n, P) of the first n of PLACES replicates.

        theta: (PLACES, P). indices: (PLACES, B). seeds: (PLACES,).
        """
        key = theta.dtype, indices.shape[1]
        if key not in self._widths:
            self._widths[key] = self._width(X, y, theta, indices, seeds)
        width = self._widths[key]
        losses, gradients = self._step(X, y, theta, indices, seeds, np.int32(-(-n // width)), width=width)
        return np.asarray(losses)[:n], np.asarray(gradients)[:n]

    def _width(self, X: Any, y: Any, theta: Array, indices: Array, seeds: Array) -> int:
        """How many replicates are batched: as many as give the same bits in every place, so that a replicate's bits do
        not depend on those beside it.
        """
        if theta.shape[1] > SMALL:
            return 1
        # Not the initial parameters themselves, whose gradient may be zero.
        moved = theta[:1] + np.random.default_rng(0).normal(0.0, 0.01, theta[:1].shape).astype(theta.dtype)
        alike = [np.repeat(each[:1], PLACES, axis=0) for each in (moved, indices, seeds)]
        losses, gradients = self._step(X, y, *alike, np.int32(PLACES // WIDTH), width=WIDTH)
        same = (losses == losses[0]).all() and (gradients == gradients[0]).all()
        return WIDTH if same else 1

    def _steps(self, X: Any, y: Any, theta: Any, indices: Any, seeds: Any, groups: Any, width: int) -> Any:
        def loss_of(flat: Any, rows: Any, seed: Any) -> Any:
            key = jax.random.key(seed) if self.network.draws else None
            outputs = self.network.outputs(self.unflattened(flat), self._shared(X[rows]), key)
            return self.network.loss(outputs, y[rows])

        of_group = jax.vmap(jax.value_and_grad(loss_of)) if width > 1 else _alone(jax.value_and_grad(loss_of))

        def step(group: Any, results: Any) -> Any:
            inputs = [jax.lax.dynamic_slice_in_dim(each, group * width, width) for each in (theta, indices, seeds)]
            return tuple(
                jax.lax.dynamic_update_slice_in_dim(all_of_them, new, group * width, 0)
                for all_of_them, new in zip(results, of_group(*inputs), strict=True)
            )

        return jax.lax.fori_loop(0, groups, step, (jnp.zeros(len(theta), theta.dtype), jnp.zeros_like(theta)))

    def _measured(self, X: Any, y: Any, flat: Any, rows: Any) -> Any:
        """The loss of each of the rows (m,), and the outputs (m, …), of the parameters (P,)."""
        outputs, targets = self.network.outputs(self.unflattened(flat), X[rows], None), y[rows]
        of_rows: Any = jax.vmap(lambda output, target: self.network.loss(_batch(output), _batch(target)))
        return of_rows(outputs, targets), outputs

    def _shared(self, rows: Any) -> Any:
        return rows if self._over_devices is None else jax.lax.with_sharding_constraint(rows, self._over_devices)

    @cached_property
    def unflattened(self) -> Callable[[Any], Any]:
        """From (P,) numbers to the pytree of parameters."""
        example = jax.tree.map(lambda leaf: np.zeros(leaf.shape), jax.eval_shape(self.network.init, jax.random.key(0)))
        leaves, tree = jax.tree.flatten(example)
        ends = np.cumsum([leaf.size for leaf in leaves])[:-1]

        def unflattened(flat: Any) -> Any:
            parts = zip(jnp.split(flat, ends), leaves, strict=True)
            return jax.tree.unflatten(tree, [part.reshape(leaf.shape) for part, leaf in parts])

        return unflattened


MOST_NETWORKS = 32
"""Networks whose programs are kept."""

_programs: dict[str, Programs] = {}


@dataclass(eq=False)
class JaxModel:
    """A network with its rows X (n, …) and y (n, …).

    scoring, metric: how outputs are scored; metric is the user's own function or None. devices: how many share the rows
    of a batch. identity: names the network's compiled programs in every process.
    """

    network: Network
    X: Array
    y: Array
    scoring: Scoring
    identity: str
    devices: int = 1
    metric: Callable[[Any, Any], Any] | None = None
    _placed: dict[Any, tuple[Any, Any]] = field(default_factory=dict, repr=False, init=False)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_placed": {}}

    @property
    def draws(self) -> bool:
        """Whether a training step draws random numbers."""
        return self.network.draws

    @cached_property
    def size(self) -> int:
        """P, the number of parameters."""
        leaves = jax.tree.leaves(jax.eval_shape(self.network.init, jax.random.key(0)))
        return sum(int(np.prod(leaf.shape, dtype=int)) for leaf in leaves)

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(P,) the parameters that the user's `init` draws with a key from `rng`."""
        flat, _ = ravel_pytree(self.network.init(jax.random.key(int(rng.integers(2**31)))))
        return np.asarray(flat, np.float64)

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, seeds: NDArray[np.int64] | None = None
    ) -> tuple[Parameters, Parameters]:
        """Losses (R,) and gradients (R, P) for `theta` (R, P), each replicate on its rows (R, B).

        seeds: (R,) of what a training step draws; None for 0.
        """
        seeds = np.zeros(len(theta), np.int64) if seeds is None else seeds
        results = []
        with _precision(theta.dtype):
            X, y = self._rows(theta.dtype)
            for start in range(0, len(theta), PLACES):
                part = slice(start, start + PLACES)
                n = len(theta[part])
                given = theta[part], indices[part].astype(np.int32), (seeds[part] % 2**32).astype(np.uint32)
                batch, rows, draws = (_padded(each) for each in given)
                results.append(self._compiled.step(X, y, batch, rows, draws, n))
        losses, gradients = zip(*results, strict=True)
        return np.concatenate(losses), np.concatenate(gradients)

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Losses (R,), the means over rows, and scores (R,) on the rows `indices` (m,)."""
        measured = []
        with _precision(theta.dtype):
            X, y = self._rows(theta.dtype)
            for row in theta:
                losses, outputs = [], []
                for start in range(0, len(indices), EVALUATION_ROWS):
                    rows = indices[start : start + EVALUATION_ROWS].astype(np.int32)
                    padded = np.concatenate([rows, np.zeros(EVALUATION_ROWS - len(rows), np.int32)])
                    of_rows, of_chunk = self._compiled.measure(X, y, row, padded)
                    losses.append(np.asarray(of_rows))
                    outputs.append(of_chunk)
                # Only the last chunk is padded.
                loss = np.concatenate(losses)[: len(indices)].mean(dtype=np.float64)
                joined = jax.tree.map(lambda *parts: np.concatenate(parts)[: len(indices)], *outputs)
                measured.append((loss, self._score(joined, self.y[indices])))
        all_losses, scores = np.array(measured, np.float64).reshape(-1, 2).T
        return all_losses, scores

    def baseline(self, train: Indices, held_out: Indices) -> tuple[float, float] | None:
        """The held-out loss and score of the predictor of class frequencies or of the mean target; None if the loss
        cannot be computed of what it predicts.
        """
        outputs = self.outputs_of_a_row()
        if outputs is None:
            return None
        predicted = self.scoring.uninformed(self.y[train], len(held_out), outputs)
        if predicted is None:
            return None
        targets = self.y[held_out]
        try:
            loss = float(self.network.loss(jnp.asarray(predicted, jnp.float32), jnp.asarray(targets)))
        except (TypeError, ValueError):
            # A loss of one's own may need more than a constant prediction.
            return None
        return (loss, self._score(predicted, targets)) if np.isfinite(loss) else None

    def outputs_of_a_row(self) -> tuple[int, ...] | None:
        """The shape of the outputs for one row; None if they are several arrays. Nothing is computed."""
        shape = self.shape_of_outputs(2)
        return tuple(shape.shape[1:]) if isinstance(shape, jax.ShapeDtypeStruct) else None

    def shape_of_outputs(self, rows: int) -> Any:
        """The shapes of the outputs for a batch; raises what `apply` raises."""
        example = jax.ShapeDtypeStruct((rows, *self.X.shape[1:]), jnp.asarray(self.X[:1]).dtype)
        return jax.eval_shape(
            lambda key, X: self.network.outputs(self.network.init(key), X, None), jax.random.key(0), example
        )

    def parameters_of(self, theta: Parameters) -> Any:
        """The pytree with the values `theta` (P,) of a replicate, as `apply` takes it."""
        if np.shape(theta) != (self.size,):
            raise InputError(f"parameters_of(theta=...): must have shape ({self.size},), got {np.shape(theta)}")
        return self._compiled.unflattened(jnp.asarray(theta))

    def digest(self) -> bytes:
        """SHA-256 of the rows."""
        digest = sha256(repr([(each.shape, each.dtype.str) for each in (self.X, self.y)]).encode())
        for each in (self.X, self.y):
            digest.update(np.ascontiguousarray(each).tobytes())
        return digest.digest()

    @property
    def _compiled(self) -> Programs:
        """The programs of the network with this identity, which all jobs of this process share."""
        if self.identity not in _programs:
            while len(_programs) >= MOST_NETWORKS:
                del _programs[next(iter(_programs))]
            _programs[self.identity] = Programs(self.network, self.devices)
        return _programs[self.identity]

    def _rows(self, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        if dtype not in self._placed:
            X, y = (jnp.asarray(each, dtype if each.dtype.kind == "f" else None) for each in (self.X, self.y))
            self._placed[dtype] = X, y
        return self._placed[dtype]

    def _score(self, outputs: Any, targets: Array) -> float:
        return self.scoring.score(outputs, targets) if self.metric is None else float(self.metric(outputs, targets))


def _padded(values: Array) -> Array:
    """(PLACES, …) from at most as many; the first in the places that are left."""
    missing = PLACES - len(values)
    return np.concatenate([values, np.repeat(values[:1], missing, axis=0)]) if missing else values


def _precision(dtype: np.dtype[Any]) -> AbstractContextManager[Any]:
    """In which arrays of `dtype` keep it: JAX has numbers of 64 bits only where they are asked for."""
    context: AbstractContextManager[Any] = jax.enable_x64(True) if dtype == np.float64 else nullcontext()
    return context


def _alone(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of one replicate for a group of one."""

    def of_one(*inputs: Any) -> Any:
        return tuple(each[None] for each in function(*(each[0] for each in inputs)))

    return of_one


def _batch(tree: Any) -> Any:
    """One row's values as a batch of one row."""
    return jax.tree.map(lambda leaf: leaf[None], tree)
