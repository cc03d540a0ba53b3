"""`Format`: one way to take a configuration or the trials of an experiment away, and what is taken."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cooldown.objectives.catalog import Entry
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.view import View
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.splits import recorded_task
from cooldown.storage import ExperimentRecord, StudyRecord, TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Chosen:
    """The trial that is exported, as a rule a winner, in its study and its experiment.

    given_task: what it was trained on, where that cannot be found by its name.
    """

    view: View
    study: StudyRecord
    trial: TrialRecord
    given_task: Task | None = None

    @property
    def config(self) -> TrainConfig:
        """What was trained."""
        return self.trial.config

    @property
    def record(self) -> ExperimentRecord:
        """The experiment's record."""
        return self.view.record

    @property
    def spec(self) -> Experiment:
        """The experiment's spec."""
        return self.view.spec

    @cached_property
    def task(self) -> Task:
        """What it was trained on; raises InputError where that cannot be found again, or is no longer the same."""
        return recorded_task(self.record, self.spec, self.given_task)


@dataclass(frozen=True)
class Exported:
    """What an export holds. remarks: what the reader must know of it, in sentences."""

    content: str | bytes
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format(Entry):
    """One way to take something away. suffix: of a file, with its dot. summary: for help and documentation."""

    name: str
    suffix: str
    summary: str


@dataclass(frozen=True)
class ConfigFormat(Format):
    """One format of a configuration.

    write: from the chosen trial to the export; raises InputError, with what to use instead, where the format cannot
    express the configuration exactly. language: of the text, for a reader's colours.
    """

    write: Callable[[Chosen], Exported]
    language: str


@dataclass(frozen=True)
class TableFormat(Format):
    """One format of the trials of an experiment. write: from their table to a file's content. text: whether a reader
    can read that.
    """

    write: Callable[["pd.DataFrame"], bytes]
    text: bool = False
