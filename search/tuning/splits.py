"""`Splits`: the problems and seeds of an experiment, as functions of (seed, repeat) and never of the arm.

This module ensures that the arms use common random numbers, and that a search never sees the test rows.
"""

from functools import cached_property

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Model, Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.tasks import Task
from cooldown.search.executors.jobs import pack
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.storage import ExperimentRecord, Purpose


def task_of(spec: Experiment, given: Task | None = None) -> Task:
    """The spec's task with the spec's hidden layers: the object `given`, or the task that the spec names.

    Raises InputError for an unknown task, or a target beside a task object.
    """
    from cooldown.objectives import tasks

    if given is None:
        return tasks.resolve(spec.task, target=spec.target, hidden=spec.hidden)
    if spec.target is not None:
        raise InputError(
            f"target {spec.target!r} is for a CSV or Parquet file or for openml:NAME; {given.name!r} is a Task object"
        )
    return given if spec.hidden is None else given.with_hidden(spec.hidden)


def recorded_task(record: ExperimentRecord, spec: Experiment, given: Task | None = None) -> Task:
    """The task of an experiment in the ledger; raises InputError if it cannot be loaded or has changed."""
    try:
        task = task_of(spec, given)
    except InputError as error:
        raise InputError(f"the task of {record.name!r} cannot be loaded ({error})") from error
    if task.fingerprint() != record.task_fingerprint:
        raise InputError(f"the data of task {task.name!r} have changed since {record.name!r} was started")
    return task


class Splits:
    """The problems and seeds of an experiment on `task`, packed for the workers."""

    def __init__(self, task: Task, spec: Experiment) -> None:
        self.task, self._spec = task, spec
        self._search: dict[int, bytes] = {}

    def search(self, repeat: int) -> bytes:
        """The packed problem of a repeat's search and finalists: training and validation rows."""
        if repeat not in self._search:
            problem = self._first if repeat == 0 else self.task.search_problem(self._spec.seed, repeat)
            self._search[repeat] = pack(problem)
        return self._search[repeat]

    @cached_property
    def evaluation(self) -> bytes:
        """The packed problem of every evaluation: trained on training + validation rows, measured on the test rows.

        Raises InputError if runs depend on a held-out loss and the task has no rows for it except the test rows.
        """
        problem = self._evaluation
        if problem.monitor is None and self._spec.reacts:
            raise InputError(
                f"task {self.task.name!r}: its evaluation_problem has no rows to watch; set Problem.monitor, because a "
                "run with early stopping or a reacting schedule must not watch the test rows"
            )
        return pack(problem)

    def rows(self, purpose: Purpose) -> int:
        """How many rows a run with this purpose trains on."""
        return len(self._evaluation.train if purpose is Purpose.EVALUATION else self._first.train)

    def updates_per_epoch(self, arm: Arm) -> int:
        """Updates per epoch of an arm's search."""
        return self._spec.updates_per_epoch(arm, self.rows(Purpose.SEARCH))

    @property
    def model(self) -> Model:
        """The task's model."""
        return self._first.model

    @cached_property
    def _evaluation(self) -> Problem:
        return self.task.evaluation_problem(self._spec.seed)

    @cached_property
    def _first(self) -> Problem:
        return self.task.search_problem(self._spec.seed, 0)

    def seeds(self, purpose: Purpose, repeat: int) -> list[int]:
        """The seeds of a repeat's replicates: different for each purpose, the same for every arm."""
        spec = self._spec
        count = {
            Purpose.SEARCH: spec.seeds,
            Purpose.FINALIST: spec.finalist_seeds,
            Purpose.EVALUATION: spec.confirm_seeds,
        }[purpose]
        return seeds(spec.seed, f"{purpose.value} seeds", repeat, count=count)
