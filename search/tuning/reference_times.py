"""How long a repeat's references take on a large table, by their times on few of its rows and with few trees.

Trees take most of it, and their time is linear in the rounds of boosting and nearly so in the rows. They may stop early
on many rows, so the estimate is of the most that they take.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from cooldown.objectives import references
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Reference
from cooldown.search.tuning.few_rows import spread
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose

ROWS, ROUNDS = 8_000, 6
"""Training rows and rounds on which references are timed; of fewer rows they are trained like everything else."""


@dataclass(frozen=True)
class TimedReferences:
    """The references on `ROWS` rows after `ROUNDS` rounds, and the seconds that those on all rows take."""

    found: tuple[Reference, ...]
    seconds: float


def timed_references(
    splits: Splits, trained: Callable[..., list[Reference]] = references.trained
) -> TimedReferences | None:
    """Those of the first repeat, from the times on half of `ROWS` and on all of them, each with a third of `ROUNDS` and
    with all; None for a table that has no more rows, and for a task without references.
    """
    names = splits.task.references
    problem = splits.problems(Purpose.EVALUATION, 0)[0] if names and splits.task.n_rows > ROWS else None
    if problem is None or len(problem.train) <= ROWS:
        return None
    found: list[Reference] = []

    def seconds(rows: int) -> float:
        """Of all rounds on so many rows: on the line through the times of few rounds."""
        nonlocal found
        some = _on(problem, rows)
        few = sum(each.seconds for each in trained(some, names, ROUNDS // 3))
        found = trained(some, names, ROUNDS)
        more = sum(each.seconds for each in found)
        a_round = max(more - few, 0.0) / (ROUNDS - ROUNDS // 3)
        return more + a_round * (references.ROUNDS - ROUNDS)

    shorter, longer = seconds(ROWS // 2), seconds(ROWS)
    slope = max(longer - shorter, 0.0) / (ROWS - ROWS // 2)
    return TimedReferences(tuple(found), longer + slope * (len(problem.train) - ROWS))


def _on(problem: Problem, count: int) -> Problem:
    """The problem with `count` training rows and at most as many others, evenly spread."""
    return replace(problem, train=spread(problem.train, count), held_out=spread(problem.held_out, count))
