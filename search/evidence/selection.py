"""A choice of an arm's trials: by what became of them, by rank, and by ranges of values.

Charts, table and curves of a page show the same choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.trials import outcome
from cooldown.storage import StudyRecord, TrialRecord

TRIAL, LOSS = "trial", "loss"
"""What a range can be of, beside hyperparameters: the number of a trial, and its validation loss."""


@dataclass(frozen=True)
class Listed:
    """A trial with its study and what became of it, in words."""

    study: StudyRecord
    trial: TrialRecord
    state: str

    @property
    def key(self) -> tuple[int, int]:
        """Repeat and number: which trial of an arm it is."""
        return self.study.repeat, self.trial.number

    def value(self, name: str) -> float | None:
        """The trial's number, its loss, or its value of a hyperparameter; None where it has none that is a number."""
        if name == TRIAL:
            return float(self.trial.number)
        value = self.trial.validation_loss if name == LOSS else self.trial.parameters.get(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Selection:
    """Which trials are chosen; all of them by default.

    states: what became of them, any of these; empty for anything. top: the best so many of each repeat, of those that
    were not pruned. between: lowest and highest value, by `TRIAL`, `LOSS` or hyperparameter.
    """

    states: frozenset[str] = frozenset()
    top: int | None = None
    between: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not self.states and self.top is None and not self.between

    def of(self, listed: Sequence[Listed]) -> list[Listed]:
        """The chosen ones of these trials, in their order."""
        best: set[tuple[int, int]] = set()
        if self.top is not None:
            for study in {id(each.study): each.study for each in listed}.values():
                best |= {(study.repeat, trial.number) for trial in study.best(self.top)}
        return [
            each
            for each in listed
            if (not self.states or each.state in self.states)
            and (self.top is None or each.key in best)
            and all(self._holds(each, name) for name in self.between)
        ]

    def _holds(self, each: Listed, name: str) -> bool:
        value, (low, high) = each.value(name), self.between[name]
        return value is not None and low <= value <= high

    def in_words(self) -> str:
        """What is chosen, `winner or finalist, best 5 of each repeat, loss 0.1 to 0.2`."""
        parts = [" or ".join(sorted(self.states))] if self.states else []
        parts += [f"best {self.top} of each repeat"] if self.top is not None else []
        parts += [
            f"{name} {formatted(low, Form.READING)} to {formatted(high, Form.READING)}"
            for name, (low, high) in self.between.items()
        ]
        return ", ".join(parts)


def listed_trials(studies: Sequence[StudyRecord]) -> list[Listed]:
    """All trials of these studies, in order."""
    return [Listed(study, trial, outcome(study, trial)) for study in studies for trial in study.trials]
