"""A `TorchModel` from what a user gives to `tasks.from_torch`, tried once before anything is trained."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from numpy.typing import NDArray

from cooldown.objectives.errors import InputError
from cooldown.objectives.frameworks.scoring import Scoring
from cooldown.objectives.frameworks.torch import EXAMPLE, TorchModel
from cooldown.objectives.frameworks.torch_layout import layout_of
from cooldown.objectives.frameworks.torch_random import Draws, one_thread
from cooldown.objectives.frameworks.torch_rows import InMemory, Items, joined, rows_of

CALL = "from_torch"


def check_module(module: Any, loss: Any) -> None:
    """InputError for what does not make modules, and for a loss that is no function."""
    if isinstance(module, torch.nn.Module) or not callable(module):
        raise InputError(
            f"{CALL}(module=...): must be a class or function without arguments that makes an nn.Module, such as "
            f"`lambda: Net(16)`, got {type(module).__name__}"
        )
    if loss is not None and not callable(loss):
        raise InputError(
            f"{CALL}(loss={loss!r:.80}): must be a function of outputs and targets, such as F.cross_entropy"
        )


def device_of(device: Any) -> torch.device:
    """The device that `device` names; "auto" is a GPU if there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, ValueError, NotImplementedError) as error:
        raise InputError(f"{CALL}(device={device!r:.80}): cannot be used: {str(error).splitlines()[0]}") from None
    return found


def parts_of(given: Mapping[str, Any]) -> dict[str, InMemory | Items]:
    """The rows of each part that is given, checked where they are in memory. Labels in words are numbered in order."""
    present = {key: part for key, part in given.items() if part is not None}
    pairs = {key: part for key, part in present.items() if isinstance(part, tuple | list) and len(part) == 2}
    words = {key: np.asarray(part[1]) for key, part in pairs.items() if not isinstance(part[1], torch.Tensor)}
    words = {key: labels for key, labels in words.items() if labels.dtype.kind in "bOUS"}
    if words:
        try:
            labels = np.unique(np.concatenate(list(words.values())))
        except (TypeError, ValueError) as error:
            raise InputError(f"{CALL}(y=...): must be labels or numbers: {error}") from None
        present |= {key: (present[key][0], np.searchsorted(labels, each)) for key, each in words.items()}
    parts = {key: rows_of(f"{CALL}({key}=...)", part) for key, part in present.items()}
    for key, part in parts.items():
        if isinstance(part, InMemory):
            _check_tensors(f"{CALL}({key}=...)", part)
        if len(part) < len(EXAMPLE):
            raise InputError(f"{CALL}({key}=...): at least {len(EXAMPLE)} rows are needed, got {len(part)}")
    return parts


def rows_and_targets(parts: Mapping[str, InMemory | Items]) -> tuple[InMemory | Items, NDArray[Any]]:
    """The rows of all parts, in their order, and their targets (n, …)."""
    try:
        rows = joined(list(parts.values()))
        with Draws() as draws:
            draws.seed(0)
            return rows, rows.targets().numpy()
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{CALL}: reading the rows raised {type(error).__name__}: {error}") from error


def model_of(
    module: Callable[[], Any],
    rows: InMemory | Items,
    targets: NDArray[Any],
    loss: Any,
    scoring: Scoring,
    metric: Any,
    device: Any,
) -> TorchModel:
    """The model, whose module and loss have been called on a batch of two rows. targets: (n, …) of all rows."""
    default = torch.nn.functional.cross_entropy if scoring.kind == "classification" else mean_squared_error
    try:
        with one_thread(), Draws() as draws:
            draws.seed(0)
            example, _ = rows.take(EXAMPLE, torch.get_default_dtype(), torch.device("cpu"))
            layout = layout_of(module, example)
            model = TorchModel(module, rows, loss or default, scoring, layout, device_of(device), uuid4().hex, metric)
            outputs = model.outputs_of_a_row()
            if loss is None and scoring.kind == "classification" and outputs and targets.max() >= outputs[0]:
                raise InputError(
                    f"{CALL}: classes up to {targets.max()} need {targets.max() + 1} outputs of the module, got "
                    f"{outputs[0]}"
                )
            theta = np.stack([model.init(np.random.default_rng(seed)) for seed in (0, 1)]).astype(np.float32)
            model.loss_and_gradient(theta, np.stack([EXAMPLE, EXAMPLE]))
            model.evaluate(theta, EXAMPLE)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{CALL}: the module, its loss or its metrics raised {type(error).__name__} on a batch of two rows: {error}"
        ) from error
    return model


def mean_squared_error(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The mean squared error, where outputs (B, 1) are numbers for targets (B,) too."""
    return torch.nn.functional.mse_loss(outputs.reshape(targets.shape), targets)


def _check_tensors(where: str, rows: InMemory) -> None:
    if rows.X.ndim == 0 or rows.y.ndim == 0 or len(rows.X) != len(rows.y):
        raise InputError(f"{where}: X and y must have the same number of rows, got {_rows(rows.X)} and {_rows(rows.y)}")
    for name, values in (("X", rows.X), ("y", rows.y)):
        if values.is_floating_point() and not torch.isfinite(values).all():
            row = int(torch.isfinite(values).reshape(len(values), -1).all(dim=1).logical_not().nonzero()[0])
            raise InputError(f"{where}: {name} must be finite numbers, got one that is not in row {row + 1}")


def _rows(values: torch.Tensor) -> str:
    return str(len(values)) if values.ndim else "no rows"
