"""`FewRows`: splits whose problems have a share of their rows, on which a large table is timed.

An update takes as long on few rows as on many, so the time of an epoch is proportional to its rows.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cooldown.objectives.problem import Indices, Problem
from cooldown.objectives.tasks import Task
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.splits import Splits
from cooldown.storage import Purpose

FEW, UPDATES = 5_000, 8
"""A timed epoch has at least so many rows, which are beyond the small caches as those of a large table are, and at
least so many updates. A table is large if it has twice as many rows.
"""


class FewRows(Splits):
    """`Splits` whose problems have this share of their rows, evenly spread; 1 for all."""

    def __init__(self, task: Task, spec: Experiment, share: float) -> None:
        super().__init__(task, spec)
        self._share = share

    def __reduce__(self) -> tuple[type[Splits], tuple[Any, ...]]:
        """As `Splits`, with the share."""
        return FewRows, (self.task, self._spec, self._share)

    def problems_of(self, purpose: Purpose, repeat: int, replicates: Sequence[int]) -> tuple[Problem, ...]:
        """The problem of each of `replicates`, on few rows."""
        problems = super().problems_of(purpose, repeat, replicates)
        if self._share == 1:
            return problems
        # Replicates that share a problem go on to share one.
        few = {problem: self._few(problem) for problem in problems}
        return tuple(few[problem] for problem in problems)

    def _few(self, problem: Problem) -> Problem:
        watched = None if problem.monitor is None else self._some(problem.monitor)
        return replace(problem, train=self._some(problem.train), held_out=self._some(problem.held_out), monitor=watched)

    def _some(self, rows: Indices) -> Indices:
        return spread(rows, max(round(self._share * len(rows)), 1))


def share_of(splits: Splits, spec: Experiment) -> float:
    """The share of its rows on which an experiment is timed."""
    rows = splits.rows(Purpose.SEARCH)
    if rows < 2 * FEW:
        return 1.0
    batch = max(map(spec.batch_size_of, spec.parsed_arms))
    return min(max(FEW, UPDATES * batch) / rows, 1.0)


def spread(rows: Indices, count: int) -> Indices:
    """At most `count` of `rows`, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64)]
