"""A parameter server: common parameters, which workers change by what they send, and the two rules for it.

`Memory` is one in memory that the processes of a machine share: cut into shards by coordinate, each with a lock, under
which whoever sends applies the rule. `Server` is what a worker needs of one, wherever it is.
"""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.fusion import fused
from cooldown.objectives.kernel_cache import kernel
from cooldown.objectives.parallel.atomics import exchange, store, yield_processor

Array = NDArray[np.float64]
Rule = Callable[[Array, Array, Array, float], Array]
"""(θ, state, sent, strength) -> the answer; θ and state are changed in place."""

SHARDS = 4
WORDS = 8
"""Control words of each lock: a cache line."""

PATIENCE = 64
"""How often a lock is tried before another thread is let run."""


def downpour(theta: Array, state: Array, sent: Array, strength: float) -> Array:
    """AdaGrad's step at rate `strength` with the sum of gradients that a worker sent; the answer is θ."""
    rule = optimizers.get("adagrad")
    settings = np.array([[declared.default] for declared in rule.hyperparameters[1:]], np.float64)
    memory, l2, rates, since = np.zeros((1, 0)), np.zeros(1), np.array([[strength]]), np.zeros(1, np.int64)
    fused(rule, "float64")(theta[None], sent[None], state[None, None], memory, l2, rates, 0, since, settings)
    return theta.copy()


def easgd(theta: Array, state: Array, sent: Array, strength: float) -> Array:  # noqa: ARG001
    """Draw the centre to the copy that a worker sent, by `strength` of their difference; the answer is this part."""
    drawn = strength * (sent - theta)
    theta += drawn
    return drawn


RULES: dict[str, Rule] = {"downpour": downpour, "easgd": easgd}


class Server(Protocol):
    """What a worker needs of a parameter server."""

    def arrive(self) -> None:
        """Say that one more worker is ready."""

    def arrived(self) -> int:
        """How many workers are ready."""

    def leave(self) -> None:
        """Say that a worker has ended."""

    def seconds(self) -> float:
        """The time from the last arrival to the last leaving, by one clock."""

    def fetch(self) -> Array:
        """A copy of the common parameters (size,)."""

    def send(self, sent: Array, strength: float) -> Array:
        """Change the common parameters by what is sent (size,), by the server's rule; returns its answer (size,)."""


class Memory:
    """A server in a file of `size` parameters at `path`, which each process maps into its memory. A new file is one of
    zeros. rule: a name of `RULES`.
    """

    def __init__(self, path: Path, size: int, rule: str) -> None:
        self._given = path, size, rule
        self._rule = RULES[rule]
        words = (SHARDS + 1) * WORDS
        whole = np.memmap(path, np.float64, "r+" if path.exists() else "w+", shape=(words + 2 * size,))
        self._control = np.asarray(whole[:words]).view(np.int64)
        self._times = np.asarray(whole[words - 2 : words])
        self._theta, self._state = np.array_split(np.asarray(whole[words:]), 2)
        self._shards = [slice(*ends) for ends in pairwise(np.linspace(0, size, SHARDS + 1).astype(int))]

    def __reduce__(self) -> tuple[Any, ...]:
        return Memory, self._given

    def arrive(self) -> None:
        """See `Server`."""
        _lock(self._control, SHARDS * WORDS)
        self._control[SHARDS * WORDS + 1] += 1
        # A machine has one such clock for all processes.
        self._times[0] = time.monotonic()
        _release(self._control, SHARDS * WORDS)

    def arrived(self) -> int:
        """See `Server`."""
        return int(self._control[SHARDS * WORDS + 1])

    def leave(self) -> None:
        """See `Server`."""
        _lock(self._control, SHARDS * WORDS)
        self._times[1] = time.monotonic()
        _release(self._control, SHARDS * WORDS)

    def seconds(self) -> float:
        """See `Server`."""
        return float(self._times[1] - self._times[0])

    def fetch(self) -> Array:
        """See `Server`; of each shard what it is at one time."""
        return self._each(lambda part: self._theta[part].copy())

    def send(self, sent: Array, strength: float) -> Array:
        """See `Server`."""
        return self._each(lambda part: self._rule(self._theta[part], self._state[part], sent[part], strength))

    def _each(self, call: Callable[[slice], Array]) -> Array:
        """The answers for all shards, each got under its lock."""
        answers = []
        for number, part in enumerate(self._shards):
            _lock(self._control, number * WORDS)
            try:
                answers.append(call(part))
            finally:
                _release(self._control, number * WORDS)
        return np.concatenate(answers)


@kernel(nogil=True)
def _lock(control, place):  # type: ignore[no-untyped-def]
    """Wait for the lock at this place, and take it."""
    tries = 0
    while exchange(control, place, 1):
        tries += 1
        if tries % PATIENCE == 0:
            yield_processor()


@kernel(nogil=True)
def _release(control, place):  # type: ignore[no-untyped-def]
    """Give back the lock at this place."""
    store(control, place, 0)
