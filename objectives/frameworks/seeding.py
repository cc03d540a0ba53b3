"""The global generators of numpy and Python, which code of the user's may draw from."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cooldown.objectives.process_state import process_state


def states() -> tuple[Any, Any]:
    """The states of numpy's and Python's global generators."""
    return np.random.get_state(), random.getstate()  # noqa: NPY002


def restore(before: tuple[Any, Any]) -> None:
    """Put back `states()`."""
    of_numpy, of_python = before
    np.random.set_state(of_numpy)  # noqa: NPY002
    random.setstate(of_python)


def seed_both(seed: int) -> None:
    """Seed both generators."""
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Both generators seeded, and afterwards as they were; other threads wait, which must not draw in turns."""
    with process_state:
        before = states()
        seed_both(seed)
        try:
            yield
        finally:
            restore(before)
