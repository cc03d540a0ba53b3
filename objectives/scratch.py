"""Arrays that are kept from call to call: mapping the memory of a new one takes longer than a product into it."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Scratch:
    """Arrays by name, whose contents are valid until the next call for the same name."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array of this shape with any contents."""
        size, kept = prod(shape), self._kept.get(name)
        if kept is None or kept.size < size or kept.dtype != dtype:
            kept = self._kept[name] = np.empty(size, dtype)
        return kept[:size].reshape(shape)
