"""The values written to and read from the ledger: frozen records, without SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import Curve, Reference, intermediate_losses, mean_final_loss, was_pruned
from cooldown.storage.terms import USUAL, Terms


class Purpose(Enum):
    """Why a replicate was trained."""

    SEARCH = "search"
    FINALIST = "finalist"
    EVALUATION = "evaluation"


class StudyKey(NamedTuple):
    """The key of a study in an experiment.

    is_default: whether it runs the arm's default config instead of a search. attempt: how often the arm's ranges were
    widened before this search.
    """

    arm: str
    repeat: int
    is_default: bool = False
    attempt: int = 0


class Status(Enum):
    """The status of an experiment."""

    QUEUED = "queued"
    RUNNING = "running"
    OPEN = "open"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def under_way(self) -> bool:
        """Whether it goes on: a process runs it, a worker will, or its callers train its runs."""
        return self in (Status.QUEUED, Status.RUNNING, Status.OPEN)

    @property
    def over(self) -> bool:
        """Whether nothing happens until somebody asks for more."""
        return self in (Status.DONE, Status.STOPPED, Status.CANCELLED, Status.FAILED)


class Change(Enum):
    """What a run can be asked for, at its next edge: see `Writer.ending`."""

    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"

    @property
    def status(self) -> Status:
        """The status of an experiment whose run has done so."""
        return {Change.PAUSE: Status.PAUSED, Change.STOP: Status.STOPPED, Change.CANCEL: Status.CANCELLED}[self]


@dataclass(frozen=True)
class InQueue:
    """The place of an experiment in the queue.

    since: seconds since 1970; None if it is no matter of workers. requested: what its run was asked for, and has not
    done yet. requeues: how many workers were lost that ran it, since a user put it there. follows_plan: whether it
    goes on with its plan when its spec is done. seconds: for which it has been run. asked: whether its callers train
    its runs.
    """

    since: float | None = None
    requested: Change | None = None
    requeues: int = 0
    follows_plan: bool = True
    seconds: float = 0.0
    asked: bool = False


@dataclass(frozen=True)
class NewTrial:
    """A finished trial that is not yet in the ledger.

    parameters: by Optuna parameter name, in natural units. distributions: Optuna's JSON of each parameter's range.
    attributes: the sampler's notes on the trial. curves: one per search seed. started: seconds since 1970.
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
        """Whether it was stopped before its end; its loss is then that of the epoch it reached."""
        return was_pruned(self.curves)

    @property
    def intermediate(self) -> NDArray[np.float64]:
        """(epochs,) mean capped validation loss after each epoch; for a pruned trial up to the epoch it reached."""
        return intermediate_losses(self.curves, self.config.epochs)


@dataclass(frozen=True)
class TrialRecord:
    """One config with all its replicates, as stored in the ledger."""

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
        """Whether it was stopped before its end; its validation loss is then that of the epoch it reached."""
        return was_pruned(self.curves.get(Purpose.SEARCH, ()))

    @property
    def finalist_loss(self) -> float | None:
        """Mean capped final validation loss over the further seeds of a finalist; None for any other trial."""
        finalist = self.curves.get(Purpose.FINALIST)
        return mean_final_loss(finalist) if finalist else None


@dataclass(frozen=True)
class StudyRecord:
    """One arm × one repeat with its trials in order: those of a search, or the single trial of the default config."""

    id: int
    arm: str
    repeat: int
    sampler_state: Mapping[str, Any]
    trials: tuple[TrialRecord, ...]
    is_default: bool = False
    attempt: int = 0

    def best(self, count: int) -> tuple[TrialRecord, ...]:
        """The `count` trials with the lowest validation loss, best first, ties by number; without pruned trials."""
        complete = (trial for trial in self.trials if not trial.pruned)
        return tuple(sorted(complete, key=lambda trial: (trial.validation_loss, trial.number))[:count])

    @cached_property
    def winner(self) -> TrialRecord | None:
        """The finalist with the lowest mean loss over its further seeds; without finalists, the best trial so far."""
        finalists = [trial for trial in self.best(len(self.trials)) if trial.finalist_loss is not None]
        if finalists:
            return min(finalists, key=lambda trial: trial.finalist_loss or 0.0)
        return next(iter(self.best(1)), None)

    @property
    def selection_loss(self) -> float | None:
        """The validation loss by which the winner was chosen; None while there is no winner."""
        if self.winner is None:
            return None
        return self.winner.validation_loss if self.winner.finalist_loss is None else self.winner.finalist_loss

    @property
    def evaluations(self) -> tuple[Curve, ...]:
        """The winner's replicates on train + validation data, whose held-out rows are the test split."""
        return self.winner.curves.get(Purpose.EVALUATION, ()) if self.winner else ()

    def curves(self, *purposes: Purpose) -> list[Curve]:
        """All replicates of the given purposes, or of every purpose."""
        chosen = purposes or tuple(Purpose)
        return [curve for trial in self.trials for purpose in chosen for curve in trial.curves.get(purpose, ())]


class Work(NamedTuple):
    """What a worker has done of a job. worker: its machine and process. started, ended: seconds since 1970, by its
    clock.
    """

    worker: str
    started: float
    ended: float


@dataclass(frozen=True)
class WorkRecord:
    """A job, or a part of one, as stored in the ledger: who trained what, and when.

    study_id: None for the references of the repeat, which belong to no study. generation: that of a search's trials,
    else None.
    """

    study_id: int | None
    repeat: int
    purpose: Purpose
    generation: int | None
    work: Work


@dataclass(frozen=True)
class Outline:
    """What an experiment asks for, as far as its row says it."""

    name: str
    spec: Mapping[str, Any]
    task_fingerprint: str
    extended_from: tuple[Mapping[str, Any], ...]
    terms: Terms


@dataclass(frozen=True)
class Summary:
    """An experiment in a list. where: its ledger. alarms: kind and arm of each alarm of its answer, which is complete;
    None where they are not known.
    """

    name: str
    spec: Mapping[str, Any]
    task_fingerprint: str
    status: Status
    created_at: float
    finished_at: float | None
    trials: int
    extended_from: tuple[Mapping[str, Any], ...]
    looks: tuple[int, ...] = ()
    where: str = ""
    terms: Terms = USUAL
    queue: InQueue = field(default_factory=InQueue)
    alarms: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment with all its results.

    studies: its searches, one per arm and repeat. default_configs: studies of the arms' default configs.
    superseded: searches over ranges that have been widened since. extended_from: for each extension, in order, the old
    values of the fields of the spec that it changed: another order of extensions may give other finalists; "planned" is
    true where the experiment's own plan did it. looks: the numbers of repeats at which everything that the spec then
    asked for was there, so that an answer could be read. references: by repeat, the predictors beside the arms; they
    are no part of its fingerprint. work: who trained it and when, in order of its end; likewise. where: its ledger, in
    messages. db: the ledger's address as a command has to name it; None for the default one. uploads: from the digest
    of an uploaded data set to its content in the same ledger.
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
    looks: tuple[int, ...] = ()
    references: Mapping[int, tuple[Reference, ...]] = field(default_factory=dict)
    work: tuple[WorkRecord, ...] = ()
    where: str = ""
    db: str | None = None
    terms: Terms = USUAL
    queue: InQueue = field(default_factory=InQueue)
    uploads: Callable[[str], bytes] | None = field(default=None, compare=False, repr=False)

    def of(self, arm: str) -> list[StudyRecord]:
        """The searches of one arm, by repeat."""
        return [study for study in self.studies if study.arm == arm]
