"""Named random streams: every random number in Cooldown comes from a `SeedSequence` with a named key.

A stream depends on a seed and a key alone, not on how many numbers another stream has drawn: adding an arm, a worker
or a replicate changes no other stream.
"""

from hashlib import sha256

import numpy as np


def seed_sequence(seed: int, *key: str | int) -> np.random.SeedSequence:
    """The `SeedSequence` of `(seed, key)`.

    seed: any integer of at least 0. key: words and non-negative integers; each is hashed, so `("a", 1)` and `("a1",)`
    differ. Source: numpy's recommendation for independent streams, with names instead of spawn counters.
    """
    words = [int.from_bytes(sha256(repr(part).encode()).digest()[:8], "little") for part in key]
    return np.random.SeedSequence([seed, *words])


def generator(seed: int, *key: str | int) -> np.random.Generator:
    """A new generator for `(seed, key)`: equal arguments give equal numbers."""
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, *key)))


def seeds(seed: int, *key: str | int, count: int) -> list[int]:
    """`count` distinct seeds below 2**31; a larger `count` only appends to them."""
    state = seed_sequence(seed, *key).generate_state(count + 8, np.uint32) >> 1
    return list(dict.fromkeys(int(value) for value in state))[:count]
