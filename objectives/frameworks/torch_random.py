"""Random numbers of a user's PyTorch code: seeded for one replicate, and the caller's generators as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from cooldown.objectives.frameworks.seeding import restore, seed_both, states
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
        of_torch, of_cuda, others = self._before
        torch.set_rng_state(of_torch)
        if of_cuda:
            torch.cuda.set_rng_state_all(of_cuda)
        restore(others)
        self._before = None
        process_state.release()

    def seed(self, seed: int) -> None:
        """Seed all generators."""
        if self._before is None:
            process_state.acquire()
            of_cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
            self._before = torch.get_rng_state(), of_cuda, states()
        # Not torch.manual_seed, which keeps a record of every call for GPUs that are not in use yet.
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        seed_both(seed)


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
