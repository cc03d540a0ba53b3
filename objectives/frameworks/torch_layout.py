"""What of a PyTorch module lies in the columns of θ: its parameters, and what else belongs to one replicate."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.torch_random import Draws
from cooldown.objectives.problem import Matrix

Maker = Callable[[], nn.Module]


@dataclass(frozen=True)
class Tensor:
    """A tensor of the module: its name in `state_dict`'s style, its shape, and its type in the module."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """The number of its columns."""
        return int(np.prod(self.shape, dtype=int))


@dataclass(frozen=True)
class Layout:
    """The columns of θ: first the trained parameters, then the tensors that a replicate carries along.

    A replicate carries the buffers that training changes, such as running statistics, and the untrained tensors that
    differ from one initialization to the next. All others are the same for every replicate and stay in the module.
    """

    trained: tuple[Tensor, ...]
    carried: tuple[Tensor, ...]

    @property
    def trainable(self) -> int:
        """P, the number of parameters."""
        return sum(tensor.size for tensor in self.trained)

    @property
    def size(self) -> int:
        """The number of all columns."""
        return self.trainable + sum(tensor.size for tensor in self.carried)

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The parameters with two dimensions: weights of a linear layer, outputs × inputs."""
        found, start = [], 0
        for tensor in self.trained:
            if len(tensor.shape) == 2:
                found.append(Matrix(start, tensor.shape[1], tensor.shape[0], transposed=True))
            start += tensor.size
        return tuple(found)

    def parameters(self, columns: torch.Tensor) -> dict[str, torch.Tensor]:
        """The parameters by name: views into `columns` (P,)."""
        parts = columns.split([tensor.size for tensor in self.trained])
        return {tensor.name: part.view(tensor.shape) for tensor, part in zip(self.trained, parts, strict=True)}

    def others(self, columns: torch.Tensor) -> dict[str, torch.Tensor]:
        """What is carried along, by name: copies of `columns` (size − P,), counters as whole numbers again."""
        parts = columns.split([tensor.size for tensor in self.carried])
        return {
            tensor.name: part.view(tensor.shape).to(
                columns.dtype if tensor.dtype.is_floating_point else tensor.dtype, copy=True
            )
            for tensor, part in zip(self.carried, parts, strict=True)
        }

    def columns(self, tensors: dict[str, torch.Tensor], names: tuple[Tensor, ...], dtype: torch.dtype) -> torch.Tensor:
        """The tensors called `names` as one row of `dtype`."""
        if not names:
            return torch.empty(0, dtype=dtype)
        return torch.cat([tensors[tensor.name].detach().to(dtype).reshape(-1) for tensor in names])


def made(make: Maker, seed: int, example: Any) -> nn.Module:
    """A new module, initialized from `seed` alone. example: the rows of a small batch, for lazy modules."""
    with Draws() as draws, torch.no_grad():
        draws.seed(seed)
        module = make()
        if not isinstance(module, nn.Module):
            raise InputError(f"from_torch(module=...): must make an nn.Module, but it made {type(module).__name__}")
        if any(map(nn.parameter.is_lazy, [*module.parameters(), *module.buffers()])):
            called(module.eval(), example)
    return module


def called(module: nn.Module, x: Any, state: dict[str, torch.Tensor] | None = None) -> Any:
    """The module's outputs for a batch: a tensor, or several as positional or keyword arguments.

    state: tensors in place of the module's own; those that the module replaces are replaced in it.
    """
    arguments = tuple(x) if isinstance(x, tuple | list) else () if isinstance(x, dict) else (x,)
    keywords = x if isinstance(x, dict) else {}
    if state is None:
        return module(*arguments, **keywords)
    return torch.func.functional_call(module, state, arguments, keywords)


def layout_of(make: Maker, example: Any) -> Layout:
    """The layout of the modules that `make` makes. example: the rows of a small batch."""
    module, again, other = (made(make, seed, example) for seed in (0, 0, 1))
    before, same, differing = (_tensors(each) for each in (module, again, other))
    if not _equal(before, same):
        raise InputError(
            "from_torch(module=...): the module's initial values must be drawn from the generators of torch, numpy or "
            "random alone, but the same seeds gave different ones"
        )
    if [(name, value.shape) for name, value in before.items()] != [
        (name, value.shape) for name, value in differing.items()
    ]:
        raise InputError("from_torch(module=...): must make modules with the same tensors every time")
    trained = [name for name, value in module.named_parameters() if value.requires_grad]
    if not trained:
        raise InputError(f"from_torch(module=...): {type(module).__name__} has no parameters to train")
    with Draws() as draws, torch.no_grad():
        draws.seed(0)
        called(again.train(), example)
    after = _tensors(again)
    carried = [
        name
        for name, value in before.items()
        if name not in trained
        and value.numel()
        and not (torch.equal(value, differing[name]) and torch.equal(value, after[name]))
    ]

    def tensors(names: list[str]) -> tuple[Tensor, ...]:
        return tuple(Tensor(name, tuple(before[name].shape), before[name].dtype) for name in names)

    for name in (*trained, *carried):
        if before[name].is_complex():
            raise InputError(
                f"from_torch(module=...): {name} holds complex numbers, which no rule of the catalog trains"
            )
    return Layout(tensors(trained), tensors(carried))


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in (*module.named_parameters(), *module.named_buffers())}


def _equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())
