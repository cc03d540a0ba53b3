"""A training job in parts, which several workers train at the same time: with the curves of the job as a whole.

A replicate's bits do not depend on those it is trained with, so that any part may be trained by itself. Where runs are
pruned, all seeds of a config stay together, because their mean decides.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.search.executors.contract import WorkerLostError, completed
from cooldown.search.executors.jobs import Curves, Trained

T = TypeVar("T")


class Size(NamedTuple):
    """How many replicates a job has: configs × seeds. whole: whether all seeds of a config stay together."""

    configs: int
    seeds: int
    whole: bool = False

    @property
    def most_parts(self) -> int:
        """Into how many parts it can be divided."""
        return self.configs * (1 if self.whole else self.seeds)

    def divided(self, count: int) -> tuple[int, int]:
        """A grid of at most `count` parts whose largest is as small as it can be: pieces of configs, and of seeds."""

        def grid(by_config: int) -> tuple[int, int]:
            """So many pieces of the configs, and as many of the seeds as are left to be had."""
            return by_config, min(1 if self.whole else max(count // by_config, 1), self.seeds)

        return min(map(grid, range(max(min(self.configs, count), 1), 0, -1)), key=self.largest)

    def parts(self, count: int) -> int:
        """How many parts there are of at most `count`."""
        by_config, by_seed = self.divided(count)
        return by_config * by_seed

    def largest(self, grid: tuple[int, int]) -> int:
        """The replicates of the largest part of a grid."""
        by_config, by_seed = grid
        return -(-self.configs // by_config) * -(-self.seeds // by_seed)


WHOLE = Size(1, 1)
"""Of what cannot be divided."""


class Replicates(NamedTuple):
    """The replicates of a job: configs × seeds. limits: (configs, epochs) as `train` takes them, or None. first: the
    place of the first seed among those of its repeat.
    """

    configs: Sequence[TrainConfig]
    seeds: Sequence[int]
    limits: NDArray[np.float64] | None = None
    first: int = 0

    @property
    def size(self) -> Size:
        """How many there are."""
        return Size(len(self.configs), len(self.seeds), self.limits is not None)


def parted(whole: Replicates, count: int) -> list[list[Replicates]]:
    """A grid of at most `count` parts, by configs and by seeds, whose largest part is as small as it can be."""
    by_config, by_seed = whole.size.divided(count)
    rows, columns = _pieces(len(whole.configs), by_config), _pieces(len(whole.seeds), by_seed)
    return [
        [
            Replicates(
                whole.configs[top:bottom],
                whole.seeds[left:right],
                None if whole.limits is None else whole.limits[top:bottom],
                whole.first + left,
            )
            for left, right in columns
        ]
        for top, bottom in rows
    ]


def joined(grid: Sequence[Sequence[Trained[Curves]]]) -> Trained[Curves]:
    """The result of the whole, from those of its parts."""
    curves = [
        [curve for part in row for curve in part.result[config]] for row in grid for config in range(len(row[0].result))
    ]
    return Trained(curves, tuple(work for row in grid for part in row for work in part.work))


def gathered(parts: "Sequence[Future[Any]]", join: Callable[[list[Any]], T]) -> "Future[T]":
    """A future of what `join` makes of the results of all parts, once all have ended; of their errors it has one, and
    the loss of a worker before others.
    """
    whole: Future[T] = Future()
    lock, left = Lock(), len(parts)

    def result() -> T:
        for part in parts:
            if isinstance(lost := part.exception(), WorkerLostError):
                raise lost
        return join([part.result() for part in parts])

    def ended(_part: "Future[Any]") -> None:
        nonlocal left
        with lock:
            left -= 1
            last = not left
        if last:
            completed(whole, result)

    for part in parts:
        part.add_done_callback(ended)
    return whole


def _pieces(size: int, count: int) -> list[tuple[int, int]]:
    """Start and end of `count` pieces of so many things, which differ by one at most."""
    return list(pairwise(np.linspace(0, size, count + 1).astype(int).tolist()))
