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
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.jax_network import Columns, Network
from cooldown.objectives.frameworks.jax_programs import PLACES, Programs, programs_of
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.problem import Indices, Matrix, Parameters

EVALUATION_ROWS = 256
"""Held-out rows in one call, padded."""

Array = NDArray[Any]


@dataclass(eq=False)
class JaxModel:
    """A network with its rows X (n, …) and y (n, …).

    Of the columns of θ the first `trainable` are the parameters, the others the state, such as running statistics.
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
        return {name: value for name, value in self.__dict__.items() if name != "columns"} | {"_placed": {}}

    @property
    def draws(self) -> bool:
        """Whether a training step draws random numbers."""
        return self.network.draws

    @cached_property
    def columns(self) -> Columns:
        """What lies in the columns of θ."""
        return Columns(self.network)

    @property
    def size(self) -> int:
        """The number of columns of θ."""
        return self.columns.size

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The parameters with two dimensions, inputs × outputs."""
        return self.columns.matrices

    @property
    def trainable(self) -> int:
        """P, the number of parameters."""
        return self.columns.trainable

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(size,) the values of a new network, drawn with a seed from `rng`."""
        return self.columns.initial(self.network, int(rng.integers(2**31)))

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, seeds: NDArray[np.int64] | None = None
    ) -> tuple[Parameters, Parameters]:
        """Losses (R,) and gradients (R, P) for `theta` (R, size), each replicate on its rows (R, B).

        Writes the state after the step into `theta`. seeds: (R,) of what a training step draws; None for 0.
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
                losses, gradients, states = self._compiled.step(X, y, batch, rows, draws, n)
                theta[part, self.trainable :] = states
                results.append((losses, gradients))
        all_losses, all_gradients = zip(*results, strict=True)
        return np.concatenate(all_losses), np.concatenate(all_gradients)

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
        return self.after_a_step(rows, None)[0]

    def after_a_step(self, rows: int, key: Any) -> tuple[Any, Any]:
        """The shapes of outputs and state after a batch; raises what the network raises. key: as for the network."""
        example = jax.ShapeDtypeStruct((rows, *self.X.shape[1:]), jnp.asarray(self.X[:1]).dtype)
        outputs: tuple[Any, Any] = jax.eval_shape(
            lambda parameters, state, X: self.network.outputs(parameters, state, X, key), *self.network.shapes, example
        )
        return outputs

    def both_of(self, theta: Parameters) -> tuple[Any, Any]:
        """Parameters and state with the values `theta` (size,) of a replicate."""
        if np.shape(theta) != (self.size,):
            raise InputError(f"parameters_of(theta=...): must have shape ({self.size},), got {np.shape(theta)}")
        columns = jnp.asarray(theta)
        return self.columns.parameters(columns[: self.trainable]), self.columns.state(columns[self.trainable :])

    def digest(self) -> bytes:
        """SHA-256 of the rows."""
        digest = sha256(repr([(each.shape, each.dtype.str) for each in (self.X, self.y)]).encode())
        for each in (self.X, self.y):
            digest.update(np.ascontiguousarray(each).tobytes())
        return digest.digest()

    @property
    def _compiled(self) -> Programs:
        """The programs of the network with this identity, which all jobs of this process share."""
        return programs_of(self.identity, self.network, self.devices)

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
