"""`Task`: data splits + model + loss + score; the rows for a search and the rows for an evaluation.

The test rows are drawn once per seed, the validation rows anew for every repeat. A search's problem does not
contain the test rows. Every split comes from a named random stream and does not depend on the arm.
"""

from abc import ABC, abstractmethod
from typing import Literal

from cooldown.objectives.catalog import Entry
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem

Kind = Literal["classification", "regression"]


class Task(Entry, ABC):
    """One task. Subclasses: `ArrayTask` (data and an MLP), `ModelTask` (a user's own model)."""

    name: str
    kind: Kind

    @property
    def score_name(self) -> str:
        """The name of the score: "accuracy" or "R²"."""
        return "accuracy" if self.kind == "classification" else "R²"

    @abstractmethod
    def search_problem(self, seed: int = 0, repeat: int = 0) -> Problem:
        """Training and validation rows of one repeat; without the test rows."""

    @abstractmethod
    def evaluation_problem(self, seed: int = 0) -> Problem:
        """Training + validation rows to train on, test rows to measure; the validation rows are its `monitor`."""

    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of all that the task determines: data, model, loss. Raises InputError for unusable data."""

    def with_hidden(self, hidden: tuple[int, ...]) -> "Task":
        """The same task with an MLP of these hidden layers; InputError if the model is not an MLP."""
        raise InputError(
            f"task {self.name!r} has a model of its own: its hidden layers cannot be set to {tuple(hidden)!r}"
        )
