"""How long a repeat's references take on a large table, by their times on few of its rows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cooldown.objectives import references
from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.records import Reference
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose

ROWS = 4_000
"""Training rows on which references are timed; of fewer rows they are trained like everything else."""


@dataclass(frozen=True)
class TimedReferences:
    """The references on `ROWS` rows, and the seconds that those on all rows take."""

    found: tuple[Reference, ...]
    seconds: float


def timed_references(
    splits: Splits, trained: Callable[..., list[Reference]] = references.trained
) -> TimedReferences | None:
    """Those of the first repeat, on the line through their times on half of `ROWS` and on all of them; None for a table
    that has no more, and for a task without references.
    """
    names = splits.task.references
    problem = splits.problems(Purpose.EVALUATION, 0)[0] if names and splits.task.n_rows > ROWS else None
    if problem is None or len(problem.train) <= ROWS:
        return None
    half, whole = (trained(_on(problem, count), names) for count in (ROWS // 2, ROWS))
    shorter, longer = (sum(each.seconds for each in found) for found in (half, whole))
    slope = max(longer - shorter, 0.0) / (ROWS - ROWS // 2)
    return TimedReferences(tuple(whole), longer + slope * (len(problem.train) - ROWS))


def _on(problem: Problem, count: int) -> Problem:
    """The problem with `count` training rows and at most as many others, evenly spread."""

    def some(rows: Indices) -> Indices:
        return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]

    return replace(problem, train=some(problem.train), held_out=some(problem.held_out))
