"""What is written to the ledger and what is read from it: frozen records, nothing of SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import Curve, intermediate_losses, mean_final_loss, was_pruned


class Purpose(Enum):
    """Why a replicate was trained."""

    SEARCH = "search"
    FINALIST = "finalist"
    EVALUATION = "evaluation"


class StudyKey(NamedTuple):
    """Which study of an experiment.

    is_default: whether it runs the arm's default config instead of a search. attempt: how often its arm's ranges had
    been widened before it began.
    """

    arm: str
    repeat: int
    is_default: bool = False
    attempt: int = 0


class Status(Enum):
    """Where an experiment stands."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


@dataclass(frozen=True)
class NewTrial:
    """A finished trial on its way into the ledger.

    parameters: by Optuna parameter name, in natural units. distributions: Optuna's JSON of each parameter's range.
    attributes: what the sampler noted on the trial. curves: one per search seed. started: seconds since 1970.
    """

    number: int
    parameters: Mapping[str, Any]
    distributions: Mapping[str, str]
    attributes: Mapping[str, Any]
    config: TrainConfig
    curves: Sequence[Curve]
    started: float

    @property
    def validation_loss(self) -> float:
        """Mean capped final validation loss over the search seeds: the objective."""
        return mean_final_loss(self.curves)

    @property
    def pruned(self) -> bool:
        """Whether it was stopped before its end; its loss is then that of the epoch it got to."""
        return was_pruned(self.curves)

    @property
    def intermediate(self) -> NDArray[np.float64]:
        """(epochs,) mean capped validation loss after each epoch; of a pruned trial as far as it got."""
        return intermediate_losses(self.curves, self.config.epochs)


@dataclass(frozen=True)
class TrialRecord:
    """One config with all its replicates, as the ledger has it."""

    id: int
    number: int
    generation: int
    parameters: Mapping[str, Any]
    attributes: Mapping[str, Any]
    config: TrainConfig
    validation_loss: float
    curves: Mapping[Purpose, tuple[Curve, ...]]

    @property
    def pruned(self) -> bool:
        """Whether it was stopped before its end; its validation loss is then that of the epoch it got to."""
        return was_pruned(self.curves.get(Purpose.SEARCH, ()))

    @property
    def finalist_loss(self) -> float | None:
        """Mean capped final validation loss over the further seeds of a finalist; None for another trial."""
        finalist = self.curves.get(Purpose.FINALIST)
        return mean_final_loss(finalist) if finalist else None


@dataclass(frozen=True)
class StudyRecord:
    """One arm × one repeat with its trials in order: of a search, or the one trial of the arm's default config."""

    id: int
    arm: str
    repeat: int
    sampler_state: Mapping[str, Any]
    trials: tuple[TrialRecord, ...]
    is_default: bool = False
    attempt: int = 0

    def best(self, count: int) -> tuple[TrialRecord, ...]:
        """The `count` trials with the lowest validation loss, best first; the earlier of equals. Never a pruned one."""
        whole = (trial for trial in self.trials if not trial.pruned)
        return tuple(sorted(whole, key=lambda trial: (trial.validation_loss, trial.number))[:count])

    @cached_property
    def winner(self) -> TrialRecord | None:
        """The finalist with the lowest mean loss over its further seeds; without finalists the best trial so far."""
        finalists = [trial for trial in self.best(len(self.trials)) if trial.finalist_loss is not None]
        if finalists:
            return min(finalists, key=lambda trial: trial.finalist_loss or 0.0)
        return next(iter(self.best(1)), None)

    @property
    def selection_loss(self) -> float | None:
        """The validation loss that the winner was chosen by; None before there is one."""
        if self.winner is None:
            return None
        return self.winner.validation_loss if self.winner.finalist_loss is None else self.winner.finalist_loss

    @property
    def evaluations(self) -> tuple[Curve, ...]:
        """The winner's replicates on train + validation data, whose held-out rows are the test split."""
        return self.winner.curves.get(Purpose.EVALUATION, ()) if self.winner else ()

    def curves(self, *purposes: Purpose) -> list[Curve]:
        """All replicates of the given purposes, or of every purpose."""
        wanted = purposes or tuple(Purpose)
        return [curve for trial in self.trials for purpose in wanted for curve in trial.curves.get(purpose, ())]


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment with everything that happened in it.

    studies: its searches, one per arm and repeat. default_configs: studies of the
    arms' default configs, run without a search.
    superseded: searches over ranges that have been widened since. extended_from: for each extension, in order,
    what it changed in the spec, as it was before: the same spec reached in another order may have other finalists.
    """

    id: int
    name: str
    spec: Mapping[str, Any]
    task_fingerprint: str
    environment: Mapping[str, Any]
    status: Status
    message: str
    created_at: float
    finished_at: float | None
    studies: tuple[StudyRecord, ...]
    extended_from: tuple[Mapping[str, Any], ...] = ()
    default_configs: tuple[StudyRecord, ...] = ()
    superseded: tuple[StudyRecord, ...] = ()

    def of(self, arm: str) -> list[StudyRecord]:
        """The searches of one arm, by repeat."""
        return [study for study in self.studies if study.arm == arm]
