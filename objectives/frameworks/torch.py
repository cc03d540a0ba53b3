"""`TorchModel`: a PyTorch module of the user's own as a model that the engine trains with its own rules."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils import _pytree as pytree

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.frameworks.torch_layout import Layout, Maker, called, made
from cooldown.objectives.frameworks.torch_random import Draws, one_thread
from cooldown.objectives.frameworks.torch_rows import InMemory, Items, placed
from cooldown.objectives.frameworks.torch_step import Steps, plainly, programs_of
from cooldown.objectives.problem import Indices, Matrix, Parameters

EVALUATION_ROWS = 1024
"""Held-out rows pass through the module in chunks of this size, to limit memory."""

EXAMPLE = np.arange(2)
"""The rows of the batch that a module is tried on."""


@dataclass(eq=False)
class TorchModel:
    """A module's maker with its rows.

    Of the columns of θ the first `trainable` are the module's parameters, the others what training changes beside them,
    such as running statistics (`Layout`). loss: outputs, targets → the mean loss of a batch, a tensor of one number.
    metric: outputs, targets → a score of the user's own, or None for that of `scoring`. identity: names the model's
    recorded programs in every process.
    """

    make: Maker
    rows: InMemory | Items
    loss: Callable[[Any, Any], Any]
    scoring: Scoring
    layout: Layout
    device: torch.device
    identity: str
    metric: Callable[[Any, Any], Any] | None = None
    draws: bool = field(default=True, init=False)
    _modules: dict[tuple[torch.dtype, bool], nn.Module] = field(default_factory=dict, repr=False, init=False)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_targets"} | {"_modules": {}}

    def __copy__(self) -> "TorchModel":
        """The same rows with modules of its own, for a separate training run."""
        return replace(self)

    @property
    def size(self) -> int:
        """The number of columns of θ."""
        return self.layout.size

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The parameters with two dimensions, outputs × inputs."""
        return self.layout.matrices

    @property
    def trainable(self) -> int:
        """P, the number of parameters."""
        return self.layout.trainable

    def init(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """(size,) the values of a new module, initialized by the module's own code with a seed from `rng`."""
        with one_thread():
            module = made(self.make, int(rng.integers(2**63 - 1)), self._example())
        tensors = dict(module.named_parameters()) | dict(module.named_buffers())
        names = self.layout.trained + self.layout.carried
        return np.asarray(self.layout.columns(tensors, names, torch.float64).numpy())

    def loss_and_gradient(
        self, theta: Parameters, indices: Indices, seeds: NDArray[np.int64] | None = None
    ) -> tuple[Parameters, Parameters]:
        """Losses (R,) and gradients (R, P) in training mode for `theta` (R, size), each replicate on its rows (R, B).

        Each replicate is computed by itself, so that its bits do not depend on the others. Writes what training changes
        beside the parameters into `theta`. seeds: (R,) of dropout and random transforms; None for 0.
        """
        split, dtype = self.trainable, torch.from_numpy(theta[:0]).dtype
        losses, gradients = np.empty(len(theta), theta.dtype), np.empty((len(theta), split), theta.dtype)
        steps = Steps(self._module(dtype, training=True), self.layout, self.loss, programs_of(self.identity))
        with one_thread(), Draws() as draws, torch.no_grad(), plainly():
            for r, rows in enumerate(indices):
                seed = 0 if seeds is None else int(seeds[r])
                if self.rows.draws:
                    draws.seed(seed)
                x, y = self.rows.take(rows, dtype, self.device)
                # In memory of its own, because a kernel's bits may depend on where a row begins.
                columns = torch.tensor(theta[r], device=self.device)
                step, random, parts = steps.step_of(columns, x, y)
                if random and not self.rows.draws:
                    draws.seed(seed)
                loss, gradient, others = step(columns[:split], columns[split:], *parts)
                losses[r], gradients[r] = loss.item(), gradient.cpu().numpy()
                if split < theta.shape[1]:
                    theta[r, split:] = others.cpu().numpy()
        return losses, gradients

    def evaluate(self, theta: Parameters, indices: Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Losses (R,) and scores (R,) in evaluation mode on the rows `indices` (m,)."""
        dtype = torch.from_numpy(theta[:0]).dtype
        module = self._module(dtype, training=False)
        with one_thread(), Draws() as draws, torch.inference_mode():
            draws.seed(0)
            batches = [
                self.rows.take(indices[start : start + EVALUATION_ROWS], dtype, self.device)
                for start in range(0, len(indices), EVALUATION_ROWS)
            ]
            targets = pytree.tree_map(lambda *parts: torch.cat(parts), *(y for _, y in batches))
            measured = []
            for row in theta:
                draws.seed(0)
                columns = torch.tensor(row, device=self.device)
                state = self.layout.parameters(columns[: self.trainable])
                state |= self.layout.others(columns[self.trainable :])
                outputs = [called(module, x, state) for x, _ in batches]
                measured.append(self._measured(pytree.tree_map(lambda *parts: torch.cat(parts), *outputs), targets))
        losses, scores = np.array(measured, np.float64).reshape(-1, 2).T
        return losses, scores

    def baseline(self, train: Indices, held_out: Indices) -> tuple[float, float] | None:
        """The held-out loss and score of the predictor of class frequencies or of the mean target; None if the loss
        cannot be computed of what it predicts.
        """
        outputs, targets = self.outputs_of_a_row(), self._targets
        if outputs is None:
            return None
        predicted = self.scoring.uninformed(targets[train].numpy(), len(held_out), outputs)
        if predicted is None:
            return None
        y = placed(targets[held_out], torch.float64, self.device)
        try:
            with one_thread(), torch.inference_mode():
                loss, score = self._measured(torch.from_numpy(predicted).to(self.device), y)
        except (RuntimeError, ValueError, TypeError, IndexError):
            # A loss of one's own may need more than a constant prediction.
            return None
        return (loss, score) if np.isfinite(loss) else None

    def outputs_of_a_row(self) -> tuple[int, ...] | None:
        """The shape of the module's outputs for one row; None if they are several tensors."""
        with one_thread(), Draws() as draws, torch.inference_mode():
            module = self._module(torch.float64, training=False)
            draws.seed(0)
            outputs = called(module, self.rows.take(EXAMPLE, torch.float64, self.device)[0])
        return tuple(outputs.shape[1:]) if isinstance(outputs, torch.Tensor) else None

    @cached_property
    def _targets(self) -> torch.Tensor:
        with Draws() as draws:
            draws.seed(0)
            return self.rows.targets()

    def module_of(self, theta: Parameters) -> nn.Module:
        """The module with the values `theta` (size,) of a replicate, in evaluation mode, on the CPU."""
        if np.shape(theta) != (self.size,):
            raise InputError(f"module_of(theta=...): must have shape ({self.size},), got {np.shape(theta)}")
        module = made(self.make, 0, self._example())
        tensors = dict(module.named_parameters()) | dict(module.named_buffers())
        columns = torch.tensor(np.asarray(theta, np.float64))
        state = self.layout.parameters(columns[: self.trainable]) | self.layout.others(columns[self.trainable :])
        with torch.no_grad():
            for name, values in state.items():
                tensors[name].copy_(values)
        return module.eval()

    def digest(self) -> bytes:
        """SHA-256 of the rows."""
        with Draws() as draws:
            draws.seed(0)
            return self.rows.digest()

    def _measured(self, outputs: Any, targets: Any) -> tuple[float, float]:
        """Loss and score of the outputs of one replicate."""
        loss = float(self.loss(outputs, targets))
        if self.metric is not None:
            return loss, float(self.metric(outputs, targets))
        if not isinstance(outputs, torch.Tensor):
            return loss, float("nan")
        return loss, self.scoring.score(outputs.cpu().numpy(), targets.cpu().numpy())

    def _example(self) -> Any:
        with Draws() as draws:
            if self.rows.draws:
                draws.seed(0)
            return self.rows.take(EXAMPLE, torch.get_default_dtype(), torch.device("cpu"))[0]

    def _module(self, dtype: torch.dtype, *, training: bool) -> nn.Module:
        """A module in this precision and mode; of its values only the constants are used."""
        key = dtype, training
        if key not in self._modules:
            self._modules[key] = made(self.make, 0, self._example()).to(self.device, dtype).train(training)
        return self._modules[key]
