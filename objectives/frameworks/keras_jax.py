"""Keras models on the back end JAX, as networks for `JaxModel`."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cooldown.objectives.frameworks.keras_model import KerasLoss, KerasMaker, Stateless, assigned
from cooldown.objectives.frameworks.seeding import seeded


@dataclass(frozen=True)
class KerasNetwork:
    """A Keras model as a network. carried: for each variable but the trainable ones, whether the state has it."""

    maker: KerasMaker
    loss_of: KerasLoss
    carried: tuple[bool, ...]
    draws: bool = field(default=True, init=False)
    """A training step has a key, by which it is told from an evaluation."""

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("function", "shapes")}

    @cached_property
    def function(self) -> Stateless:
        """A model of this process; of its values only those that no replicate has are used."""
        with seeded(0):
            return Stateless(self.maker.new())

    @cached_property
    def shapes(self) -> tuple[Any, Any]:
        """The shapes of trainable and carried variables."""
        both = self.function.trainable, self._of_carried(self.function.others)
        trainable, carried = (
            [jax.ShapeDtypeStruct(tuple(each.shape), jnp.dtype(each.dtype)) for each in variables] for variables in both
        )
        return trainable, carried

    def drawn(self, seed: int) -> tuple[Any, Any]:
        """The values of a new model's variables."""
        with seeded(seed):
            function = Stateless(self.maker.new())
        both = function.trainable, self._of_carried(function.others)
        trainable, carried = ([np.asarray(each.value) for each in variables] for variables in both)
        return trainable, carried

    def outputs(self, parameters: Any, state: Any, X: Any, key: Any) -> tuple[Any, Any]:
        """The model's outputs, in training mode if there is a key, and the state after it."""
        carried, function = iter(state), self.function
        others = [
            next(carried) if is_carried else variable.value
            for variable, is_carried in zip(function.others, self.carried, strict=True)
        ]
        shape = function.n_seeds, 2
        seeds = jnp.zeros(shape, jnp.uint32) if key is None else jax.random.bits(key, shape, jnp.uint32)
        outputs, after = function(parameters, others, list(seeds), X, training=key is not None)
        return outputs, self._of_carried(after)

    def taken_home(self, parameters: Any, state: Any) -> Any:
        """A Keras model with these values."""
        carried = iter(state)
        return assigned(self.maker, parameters, [next(carried) if is_carried else None for is_carried in self.carried])

    def loss(self, outputs: Any, y: Any) -> Any:
        """The mean loss of a batch."""
        return self.loss_of(outputs, y)

    def _of_carried(self, values: list[Any]) -> list[Any]:
        return [value for value, is_carried in zip(values, self.carried, strict=True) if is_carried]
