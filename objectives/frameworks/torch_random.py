"""Random numbers of a user's PyTorch code: seeded for one replicate, and the caller's generators as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from cooldown.objectives.process_state import process_state


class Draws:
    """The generators of torch, numpy and random, for code that draws from them.

    Inside the block, `seed` sets them; after it they are as they were before the first `seed`. From then on other
    threads wait, which must not draw from the same generators in turns.
    """

    def __init__(self) -> None:
        self._before: Any = None

    def __enter__(self) -> "Draws":
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            return
        of_torch, of_cuda, of_numpy, of_python = self._before
        torch.set_rng_state(of_torch)
        if of_cuda:
            torch.cuda.set_rng_state_all(of_cuda)
        np.random.set_state(of_numpy)  # noqa: NPY002
        random.setstate(of_python)
        self._before = None
        process_state.release()

    def seed(self, seed: int) -> None:
        """Seed all generators."""
        if self._before is None:
            process_state.acquire()
            of_cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
            self._before = torch.get_rng_state(), of_cuda, *outside_torch()
        # Not torch.manual_seed, which keeps a record of every call for GPUs that are not in use yet.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)


def outside_torch() -> tuple[Any, Any]:
    """The states of numpy's and Python's global generators."""
    return np.random.get_state(), random.getstate()  # noqa: NPY002


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch: parallelism comes from the processes, and sums must not depend on it."""
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
