"""`Task`: data, how its rows are split, a model, a loss, a score; the problems of a search and of an evaluation.

A search's problem does not contain the test rows. Every split comes from a named random stream and does not depend on
the arm: all arms of an experiment are trained and measured on the same rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import Entry
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.aim import Aim
from cooldown.objectives.data.splits import NOTHING_APART, Apart, Split, split
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Indices, Problem

Kind = Literal["classification", "regression"]


class Task(Entry, ABC):
    """One task. Subclasses: `ArrayTask` (data and an MLP), `ModelTask` (a user's own model), `LoopTask` (a user's own
    training loop).
    """

    name: str
    kind: Kind
    apart: Apart = NOTHING_APART
    """The groups or times of the rows, across which nothing is split."""

    @property
    def score_name(self) -> str:
        """The name of the score: "accuracy" or "R²", or that of another metric."""
        return "accuracy" if self.kind == "classification" else "R²"

    @property
    @abstractmethod
    def n_rows(self) -> int:
        """The number of rows, those of a test set of the user's own included."""

    @property
    def strata(self) -> NDArray[Any] | None:
        """(n_rows,) classes by which splits are stratified; None for unstratified splits."""
        return None

    @property
    def test_rows(self) -> Indices | None:
        """(k,) the rows of a test set of the user's own; None if test rows are drawn."""
        return None

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the references that are trained beside the arms (objectives/references.py)."""
        return ()

    @abstractmethod
    def problem(self, train: Indices, held_out: Indices) -> Problem:
        """The problem of the rows to train on and of those to measure, each in ascending order, and of no others."""

    def problems(self, splits: Sequence[Split]) -> tuple[Problem, ...]:
        """The problem of a search on each of these splits, which have the same test rows; on one model, if possible, so
        that replicates of different splits can be trained together.
        """
        return tuple(self.problem(rows.train, rows.validation) for rows in splits)

    def split(self, seed: int, repeat: int | None = None, replicate: int | None = None) -> Split:
        """The rows of one replicate, named by its own seed, in a repeat; None for protocol 1 (data/splits.py)."""
        return split(self.n_rows, self.strata, seed, repeat, replicate, self.test_rows, self.apart)

    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """Protocol 1: training and validation rows of one repeat; without the test rows."""
        rows = self.split(seed, repeat)
        return self.problem(rows.train, rows.validation)

    def search_problems(self, seed: int, repeat: int, replicates: Sequence[int]) -> tuple[Problem, ...]:
        """The problems of a search's replicates, named by their seeds: training and validation rows of each."""
        return self.problems([self.split(seed, repeat, replicate) for replicate in replicates])

    def evaluation_problem(self, seed: int = 0) -> Problem:
        """Protocol 1: training + validation rows to train on, test rows to measure; the validation rows of repeat 0 are
        its `monitor`, without which a run that reacts is trained.
        """
        rows = self.split(seed)
        return _watching(self._tested(rows), rows)

    def evaluation_problems(
        self, seed: int, repeat: int, replicates: Sequence[int], *, watching: bool = False
    ) -> tuple[Problem, ...]:
        """The problems of an evaluation's replicates: the test rows of the repeat to measure, all others to train on.

        watching: the validation rows of each replicate are its `monitor`, and not trained on.
        """
        splits = [self.split(seed, repeat, replicate) for replicate in replicates]
        # All have the same test rows, and so the same others.
        problem = self._tested(splits[0])
        return tuple(_watching(problem, rows).reacting if watching else problem for rows in splits)

    def _tested(self, rows: Split) -> Problem:
        return replace(self.problem(rows.rest, rows.test), tests=True)

    def fitted(self, config: TrainConfig, n_seeds: int = 1, seed: int = 0) -> Any:  # noqa: ARG002
        """A model for new rows: trained with `config` on all rows, the test rows too.

        A run that depends on its held-out loss watches `watched_by_fit`, and is not trained on these. n_seeds: the
        number of networks, whose predictions are averaged; where only the user's code knows what an average would be,
        they are a list. seed: of all random numbers. Raises InputError if the task cannot make a model, or if all
        networks diverge.
        """
        raise InputError(
            f"task {self.name!r} has a model of its own, which only your code can make again: train it with the best "
            "config, as result.best(arm), by config.torch, config.optax or cooldown.train"
        )

    def watched_by_fit(self, config: TrainConfig, seed: int) -> Indices | None:
        """The rows that a fit on all rows watches if `config` depends on its held-out loss; None for any other.

        They are a fifth of the rows: of drawn splits the test rows of `seed` (the latest, where rows have times), and
        beside a test set of the user's own a quarter of the other rows.
        """
        if not config.reacts:
            return None
        rows = self.split(seed)
        return rows.test if self.test_rows is None else rows.validation

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of all that the task determines: data, model, loss. Raises InputError for unusable data."""

    def with_hidden(self, hidden: tuple[int, ...]) -> "Task":
        """The same task with an MLP of these hidden layers; InputError if the model is not an MLP."""
        raise InputError(
            f"task {self.name!r} has a model of its own: its hidden layers cannot be set to {tuple(hidden)!r}"
        )

    def with_random_labels(self, share: float) -> "Task":
        """The same task with this share of its labels drawn at random; InputError if it has no labels of its own."""
        raise InputError(f"task {self.name!r} has a model of its own: random_labels={share:g} cannot change its labels")

    def with_aim(self, aim: Aim) -> "Task":
        """The same task with other measures or weights; InputError if the model is not an MLP."""
        settings = [name for name, value in vars(aim).items() if value is not None]
        raise InputError(
            f"task {self.name!r} has a model of its own, which measures and weighs its rows itself: leave out "
            f"{', '.join(settings)}"
        )


def _watching(problem: Problem, rows: Split) -> Problem:
    """The problem, whose training rows are `rows.rest`, with the validation rows as its monitor."""
    return replace(problem, monitor=problem.train[np.searchsorted(rows.rest, rows.validation)])
