"""A user's Keras model on any back end: made anew, and as a function of its variables.

Of a model's variables a replicate has its own trainable ones, and those that training assigns or that differ from one
initialization to the next, such as running statistics. States of seed generators are neither: each training step sets
them from the replicate's stream. All others, such as frozen weights, stay in the model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.seeding import seeded

CALL = "from_keras"


@dataclass(frozen=True)
class KerasMaker:
    """Makes new models. make: the user's. row, dtype: of one row of inputs. backend: the name of Keras's."""

    make: Callable[[], Any]
    row: tuple[int, ...]
    dtype: str
    backend: str

    def new(self) -> Any:
        """A new model with its variables, whose initializers draw from Python's generator."""
        if keras.config.backend() != self.backend:
            raise InputError(
                f"{CALL}: this process has Keras with the back end {keras.config.backend()}, but the task was made "
                f"with {self.backend}: set the environment variable KERAS_BACKEND={self.backend}"
            )
        model = self.make()
        if not isinstance(model, keras.Model):
            raise InputError(f"{CALL}(make_model=...): must make a keras.Model, but it made {type(model).__name__}")
        if not model.built:
            model(np.zeros((2, *self.row), self.dtype))
        return model


@dataclass(frozen=True)
class KerasLoss:
    """A loss of Keras's form as one of outputs and targets. of: targets, outputs → losses of rows, or their mean."""

    of: Callable[[Any, Any], Any]

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The mean loss of a batch."""
        if len(outputs.shape) == len(targets.shape) + 1 and outputs.shape[-1] == 1:
            targets = keras.ops.expand_dims(targets, -1)
        return keras.ops.mean(self.of(targets, outputs))


@dataclass(frozen=True)
class KerasMetric:
    """A user's function of targets and outputs as one of outputs and targets."""

    of: Callable[[Any, Any], Any]

    def __call__(self, outputs: Any, targets: Any) -> Any:
        """The score."""
        return self.of(targets, outputs)


class Stateless:
    """A model as a function of its variables' values."""

    def __init__(self, model: Any) -> None:
        self.model = model
        weights = {id(variable) for variable in model.non_trainable_weights}
        self._is_seed = [id(variable) not in weights for variable in model.non_trainable_variables]

    @property
    def trainable(self) -> list[Any]:
        """The trainable variables."""
        return list(self.model.trainable_variables)

    @property
    def others(self) -> list[Any]:
        """The other variables, without the states of seed generators."""
        return list(self.model.non_trainable_weights)

    @property
    def n_seeds(self) -> int:
        """How many seed generators the model has."""
        return sum(self._is_seed)

    def __call__(
        self, trainable: Sequence[Any], others: Sequence[Any], seeds: Sequence[Any], X: Any, *, training: bool
    ) -> tuple[Any, list[Any]]:
        """Outputs, and the values of the other variables afterwards. seeds: (2,) states of the seed generators."""
        rest, fresh = iter(others), iter(seeds)
        before = [next(fresh if is_seed else rest) for is_seed in self._is_seed]
        # In a model's own precision, whatever that of the run.
        given = [
            [keras.ops.cast(value, variable.dtype) for value, variable in zip(values, variables, strict=True)]
            for values, variables in ((trainable, self.trainable), (before, self.model.non_trainable_variables))
        ]
        outputs, after = self.model.stateless_call(*given, X, training=training)
        return outputs, [value for value, is_seed in zip(after, self._is_seed, strict=True) if not is_seed]


def assigned(maker: KerasMaker, trainable: Sequence[Any], others: Sequence[Any]) -> Any:
    """A new model with these values; those of `others` that are None stay as they are made."""
    with seeded(0):
        function = Stateless(maker.new())
    variables = [*function.trainable, *function.others]
    for variable, value in zip(variables, [*trainable, *others], strict=True):
        if value is not None:
            variable.assign(value)
    return function.model
