"""`Format`: one export format for a configuration or for trials; `Chosen`: what is exported."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cooldown.objectives.catalog import Entry
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.view import View
from cooldown.search.spec.experiment import Experiment
from cooldown.search.tuning.splits import recorded_task
from cooldown.storage import ExperimentRecord, StudyRecord, TrialRecord

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Chosen:
    """The trial to export, usually a winner, with its study and its experiment.

    given_task: the Task object that it was trained on, if the task cannot be loaded by its name.
    """

    view: View
    study: StudyRecord
    trial: TrialRecord
    given_task: Task | None = None

    @property
    def config(self) -> TrainConfig:
        """The trial's configuration."""
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
        """The task that it was trained on; raises InputError if the task cannot be loaded or has changed."""
        return recorded_task(self.record, self.spec, self.given_task)

    def fitted(self, n_seeds: int = 1) -> Any:
        """A model for new rows, trained with the configuration on all rows of the task: see `Task.fitted`."""
        return self.task.fitted(self.config, n_seeds, self.spec.seed)


class Unopened(Chosen):
    """A trial whose task is not loaded: a server opens no file, downloads nothing and runs no module that a ledger
    names.
    """

    @property
    def task(self) -> Task:
        """Raises InputError with what to do instead."""
        raise InputError(
            f"This format needs the task {self.record.spec['task']!r} itself, which is a file, a download or a module. "
            "For safety a server does not open it: run `cooldown export` in the experiment's folder instead."
        )


@dataclass(frozen=True)
class Exported:
    """The content of an export. remarks: what the reader should know about it, as sentences without a period."""

    content: str | bytes
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format(Entry):
    """An export format. suffix: of its files, with the dot. summary: for help and documentation."""

    name: str
    suffix: str
    summary: str


@dataclass(frozen=True)
class ConfigFormat(Format):
    """A format for a configuration.

    write: from the chosen trial to the export; raises InputError, which names an alternative, if the format cannot
    express the configuration exactly. language: of the text, for syntax highlighting.
    """

    write: Callable[[Chosen], Exported]
    language: str


@dataclass(frozen=True)
class ModelFormat(Format):
    """A format for a model that is trained with the configuration on all rows.

    write: from the chosen trial and the number of networks whose predictions are averaged; raises InputError for a task
    that the format cannot hold.
    """

    write: Callable[[Chosen, int], Exported]


@dataclass(frozen=True)
class TableFormat(Format):
    """A format for the trials of an experiment. write: from their table to a file's content. text: whether the content
    is text.
    """

    write: Callable[["pd.DataFrame"], bytes]
    text: bool = False
