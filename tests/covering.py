"""Which of many combinations `make test` runs: few, in which everything meets everything that it could break.

`make test-all` runs all of them (`pytest --full`).
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import combinations
from typing import Any, TypeVar

import pytest

Row = TypeVar("Row", bound=Iterable[Hashable])


def pairs(row: Iterable[Hashable]) -> set[Hashable]:
    """Every two values of a row, each with its place."""
    return set(combinations(enumerate(row), 2))


def covering(rows: Sequence[Row], parts: Callable[[Row], Iterable[Hashable]] = pairs) -> list[Row]:
    """A few of the rows that have all `parts` which the rows have: as a rule, every pair of values.

    Greedy: first the rows of which every part is new, then those with one part less that is new, and so on. The same
    rows give the same answer, and a row that can not be made (a rule that a format refuses) is just not among `rows`.
    """
    parts_of = [set(parts(row)) for row in rows]
    left = set().union(*parts_of)
    chosen = []
    for new in range(max(map(len, parts_of), default=0), 0, -1):
        for row, mine in zip(rows, parts_of, strict=True):
            if len(mine & left) >= new:
                chosen.append(row)
                left -= mine
    return chosen


def in_short(rows: Sequence[Any], short: Iterable[Any]) -> list[Any]:
    """The rows as a test's parameters; those not among `short` are run with `--full` only."""
    chosen = list(short)
    assert all(row in rows for row in chosen)
    return [
        pytest.param(*(row if isinstance(row, tuple) else [row]), marks=() if row in chosen else pytest.mark.full)
        for row in rows
    ]
