"""The rows of a task for PyTorch: tensors in memory, or a data set whose items are fetched by their index."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils import _pytree as pytree
from torch.utils.data import ConcatDataset, DataLoader, IterableDataset, TensorDataset, default_collate

from cooldown.objectives.errors import InputError

CHUNK = 256
"""Items that are fetched together where all are read."""


class Rows(Protocol):
    """n rows: inputs and targets.

    draws: whether a row may differ from call to call, as with a random transform; it is then fetched with the
    generators seeded.
    """

    draws: bool

    def __len__(self) -> int: ...

    def take(self, indices: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
        """Inputs and targets of the rows `indices` (B,), floating-point numbers in `dtype`."""

    def targets(self) -> torch.Tensor:
        """(n, …) all targets."""

    def digest(self) -> bytes:
        """SHA-256 of all rows."""


@dataclass(eq=False)
class InMemory:
    """Tensors X (n, …) and y (n, …)."""

    X: torch.Tensor
    y: torch.Tensor
    draws: bool = False
    _placed: dict[Any, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {"X": self.X, "y": self.y, "draws": self.draws, "_placed": {}}

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
        """Inputs and targets of the rows `indices` (B,), in tensors of their own."""
        key = dtype, device
        if key not in self._placed:
            self._placed[key] = placed(self.X, dtype, device), placed(self.y, dtype, device)
        X, y = self._placed[key]
        rows = torch.from_numpy(np.ascontiguousarray(indices)).to(device)
        return X.index_select(0, rows), y.index_select(0, rows)

    def targets(self) -> torch.Tensor:
        """(n, …) the targets."""
        return self.y

    def digest(self) -> bytes:
        """SHA-256 of all rows."""
        return sha256(_bytes(self.X) + _bytes(self.y)).digest()


@dataclass(eq=False)
class Items:
    """A data set of pairs, input and target, with transforms of its own.

    collate: makes a batch of a list of items, as in a DataLoader.
    """

    dataset: Any
    collate: Callable[[list[Any]], Any] = default_collate
    draws: bool = True

    def __len__(self) -> int:
        return len(self.dataset)

    def take(self, indices: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> tuple[Any, Any]:
        """Inputs and targets of the rows `indices` (B,), fetched now."""
        x, y = pair(self.collate([self.dataset[int(index)] for index in indices]))
        return placed(x, dtype, device), placed(y, dtype, device)

    def targets(self) -> torch.Tensor:
        """(n, …) all targets, fetched now."""
        return torch.cat([torch.as_tensor(y) for _, y in self._all()])

    def digest(self) -> bytes:
        """SHA-256 of all rows, fetched now."""
        digest = sha256()
        for batch in self._all():
            for part in pytree.tree_leaves(batch):
                digest.update(_bytes(torch.as_tensor(part)))
        return digest.digest()

    def _all(self) -> Iterable[tuple[Any, Any]]:
        for start in range(0, len(self), CHUNK):
            yield pair(self.collate([self.dataset[i] for i in range(start, min(start + CHUNK, len(self)))]))


def placed(values: Any, dtype: torch.dtype, device: torch.device) -> Any:
    """Tensors on a device, those of floating-point numbers in `dtype`; in nested lists, tuples and dicts too."""

    def of(value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(device, dtype if value.is_floating_point() else None)

    return pytree.tree_map(of, values)


def pair(batch: Any) -> tuple[Any, Any]:
    """Inputs and targets of a batch; InputError for anything but a pair."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        what = f"{len(batch)} parts" if isinstance(batch, tuple | list) else type(batch).__name__
        raise InputError(f"from_torch(train=...): an item must be a pair, input and target, got {what}")
    return batch[0], batch[1]


def rows_of(where: str, given: Any) -> InMemory | Items:
    """Rows from a pair of arrays or tensors, a data set, a loader, or an iterable of batches, which is read once.

    Of a loader over a data set with an index only the data set and `collate_fn` are used: the sizes and the order of
    batches are the config's.
    """
    if isinstance(given, tuple | list) and len(given) == 2:
        return InMemory(_tensor(f"{where}: X", given[0]), _tensor(f"{where}: y", given[1]))
    collate: Any = default_collate
    if isinstance(given, DataLoader) and not isinstance(given.dataset, IterableDataset):
        given, collate = given.dataset, given.collate_fn
    if collate is default_collate and isinstance(given, TensorDataset) and len(given.tensors) == 2:
        return InMemory(*given.tensors)
    if hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        return Items(given, collate)
    if not isinstance(given, Iterable):
        raise InputError(
            f"{where}: must be a pair (X, y), a data set or a loader of torch.utils.data, got {type(given).__name__}"
        )
    batches = [pair(batch) for batch in given]
    if not batches:
        raise InputError(f"{where}: has no rows")
    X, y = (torch.cat([torch.as_tensor(part) for part in parts]) for parts in zip(*batches, strict=True))
    return InMemory(X, y)


def joined(parts: list[InMemory | Items]) -> InMemory | Items:
    """The rows of all parts, one part after the other; batches are made as those of the first part."""
    if len(parts) == 1:
        return parts[0]
    tensors = [part for part in parts if isinstance(part, InMemory)]
    if len(tensors) == len(parts):
        return InMemory(torch.cat([part.X for part in tensors]), torch.cat([part.y for part in tensors]))
    collates = [part.collate for part in parts if isinstance(part, Items)]
    datasets = [TensorDataset(part.X, part.y) if isinstance(part, InMemory) else part.dataset for part in parts]
    return Items(ConcatDataset(datasets), collates[0])


def _tensor(where: str, values: Any) -> torch.Tensor:
    """An array or tensor of rows, on the CPU and detached."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu()
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: must hold numbers, got values of type {array.dtype}")
    if array.ndim == 0:
        raise InputError(f"{where}: must have one entry per row, got {array.item()!r}")
    # A copy: the caller's array may be read-only or change later.
    wider = array.dtype.kind == "u" and array.dtype.itemsize > 1
    return torch.tensor(array.astype(np.int64) if wider else array)


def _bytes(values: torch.Tensor) -> bytes:
    array: NDArray[Any] = values.detach().cpu().contiguous().numpy()
    return repr((array.dtype.str, array.shape)).encode() + array.tobytes()
