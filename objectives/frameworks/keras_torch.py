"""Keras models on the back end PyTorch, as modules for `TorchModel`."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from cooldown.objectives.frameworks.keras_model import KerasMaker, Stateless, assigned

SEEDS = 2**31
"""States of seed generators are below it."""


class KerasModule(nn.Module):
    """A module with a Keras model's variables as parameters and buffers: those that the model itself has cannot be
    replaced for one call.
    """

    def __init__(self, function: Stateless) -> None:
        super().__init__()
        # A Keras model is a module too, whose parameters would be this one's.
        self.__dict__["function"] = function
        for place, variable in enumerate(function.trainable):
            self.register_parameter(f"parameter{place}", nn.Parameter(_copied(variable)))
        for place, variable in enumerate(function.others):
            self.register_buffer(f"other{place}", _copied(variable))

    def values(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """The values of the trainable and of the other variables."""
        function: Stateless = self.__dict__["function"]
        return (
            [getattr(self, f"parameter{place}") for place in range(len(function.trainable))],
            [getattr(self, f"other{place}") for place in range(len(function.others))],
        )

    def forward(self, x: torch.Tensor) -> Any:
        """The model's outputs; in training mode the buffers change."""
        function: Stateless = self.__dict__["function"]
        trainable, others = self.values()
        shape = function.n_seeds, 2
        # Outside of training Keras draws nothing, and the generator stays as it is.
        draw = self.training and function.n_seeds > 0
        seeds = torch.randint(SEEDS, shape, device=x.device) if draw else torch.zeros(shape, device=x.device)
        outputs, after = function(trainable, others, list(seeds.to(torch.int32)), x, training=self.training)
        if self.training:
            for place, (old, new) in enumerate(zip(others, after, strict=True)):
                setattr(self, f"other{place}", new.detach().to(old))
        return outputs


def _copied(variable: Any) -> torch.Tensor:
    """A variable's value on the CPU, as a module makes its own; Keras has it on a GPU if there is one."""
    value: torch.Tensor = variable.value.detach().cpu().clone()
    return value


@dataclass(frozen=True)
class ModuleMaker:
    """Makes modules, as `TorchModel` takes it."""

    maker: KerasMaker

    def __call__(self) -> KerasModule:
        """A new model as a module."""
        return KerasModule(Stateless(self.maker.new()))

    def taken_home(self, module: Any) -> Any:
        """A Keras model with the values of a module that was made here."""
        return assigned(self.maker, *module.values())
