"""`Splits`: the problems and seeds of an experiment, as functions of seed, repeat and replicate, never of the arm.

This module ensures that the arms use common random numbers, and that a search never sees the test rows.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from cooldown.objectives.data.splits import Split
from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.tasks import Task
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.executors.packed import Packed
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.ranges import RANDOM_LABELS_KEY
from cooldown.search.spec.recorded import resumable
from cooldown.search.spec.task_fields import BY_TASK, OWN_TEST
from cooldown.storage import ExperimentRecord, Purpose


def task_of(spec: Experiment, given: Task | None = None, uploads: Callable[[str], bytes] | None = None) -> Task:
    """The spec's task with the spec's hidden layers, measures and weights: the object `given`, or the task that the
    spec names. uploads: the content of an uploaded data set by its digest; None where there are none.

    Raises InputError for an unknown task, for what is said of a table beside a task object, for a task that has not the
    test rows, groups or times of its own that the spec says it has, and for measures or weights that do not fit.
    """
    from cooldown.objectives import tasks

    named = {name: getattr(spec, name) for name in ("target", "sample_weight", *BY_TASK)}
    own = [name for name in BY_TASK if named[name] == OWN_TEST]
    named |= dict.fromkeys(own)
    if given is None:
        task = tasks.resolve(
            spec.task, hidden=spec.hidden, **named, kind=spec.kind, reading=spec.reading, uploads=uploads
        )
    else:
        of_files = {"test": named["test"], **spec.reading.given()}
        for name, value in {**named, "kind": spec.kind, **of_files}.items():
            if value is not None:
                also = "" if name in of_files else " or for openml:NAME"
                raise InputError(
                    f"{name} {value!r} is for a CSV or Parquet file{also}; {given.name!r} is a Task object"
                )
        task = given if spec.hidden is None else given.with_hidden(spec.hidden)
    for name in own:
        if not _brings(task)[name]:
            what = "test rows" if name == "test" else name
            raise InputError(f"{name} {OWN_TEST!r}: task {task.name!r} has no {what} of its own")
    if share := spec.ranges.get(RANDOM_LABELS_KEY):
        task = task.with_random_labels(share)
    return task.with_aim(spec.aim) if spec.aim else task


def with_own_test(spec: Experiment, task: Task) -> Experiment:
    """The spec as it is recorded: it says where its test rows come from, and by what the rows are split, also if `task`
    brings that.
    """
    brought = [name for name, brings in _brings(task).items() if brings and getattr(spec, name) is None]
    return spec.model_copy(update=dict.fromkeys(brought, OWN_TEST)) if brought else spec


def _brings(task: Task) -> dict[str, bool]:
    """Which of the fields `BY_TASK` a task has."""
    return {
        "test": task.test_rows is not None,
        "groups": task.apart.groups is not None,
        "time": task.apart.times is not None,
    }


def recorded_task(record: ExperimentRecord, spec: Experiment, given: Task | None = None) -> Task:
    """The task of an experiment in the ledger; raises InputError if it cannot be loaded or has changed."""
    try:
        task = task_of(spec, given, record.uploads)
    except UntrustedModuleError:
        raise
    except InputError as error:
        reason = str(error)
        if not resumable(record.spec):
            reason = f"{spec.task!r} is an object of a Python program: give it there, as task=... of a result's methods"
        raise InputError(f"the task of {record.name!r} cannot be loaded ({reason})") from error
    if task.fingerprint() != record.task_fingerprint:
        raise InputError(f"the data of task {task.name!r} have changed since {record.name!r} was started")
    return task


MOST_KEPT = 3
"""Repeats' problems that a worker keeps: those of each purpose. Studies are worked on repeat by repeat."""


EXAMPLE_ROWS = 10_000
"""Rows of `Splits.example`, of each kind."""


class Splits:
    """The problems and seeds of an experiment on `task`. Workers get it, and with it the task's data, once.

    A job's seeds have a problem each, as `train` takes them, or share one. If any arm of the experiment depends on
    its validation loss, all its evaluations are trained without the rows that such a run watches.
    """

    def __init__(self, task: Task, spec: Experiment) -> None:
        self.task, self._spec = task, spec
        self._kept: dict[tuple[Purpose, int], tuple[Problem, ...]] = {}

    @cached_property
    def packed(self) -> Packed["Splits"]:
        """These splits as jobs share them."""
        return Packed(self, f"task {self.task.name!r}")

    def __reduce__(self) -> tuple[type["Splits"], tuple[Any, ...]]:
        """Task and spec: all else follows from these."""
        return Splits, (self.task, self._spec)

    def problems(self, purpose: Purpose, repeat: int) -> tuple[Problem, ...]:
        """The problem of each seed of a repeat's runs with this purpose; no test row is in those of a search."""
        key = purpose, repeat
        if key not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[key] = self.problems_of(purpose, repeat, self.seeds(purpose, repeat))
        return self._kept[key]

    def problems_of(self, purpose: Purpose, repeat: int, replicates: Sequence[int]) -> tuple[Problem, ...]:
        """The problem of each of `replicates`, named by their seeds, in a repeat's runs with this purpose."""
        task, spec = self.task, self._spec
        if spec.protocol == 1:
            evaluated = purpose is Purpose.EVALUATION
            problem = task.evaluation_problem(spec.seed) if evaluated else task.search_problem(spec.seed, repeat)
            return (problem,) * len(replicates)
        if purpose is Purpose.EVALUATION:
            return task.evaluation_problems(spec.seed, repeat, replicates, watching=spec.reacts)
        return task.search_problems(spec.seed, repeat, replicates)

    def rows(self, purpose: Purpose) -> int:
        """How many rows a run with this purpose trains on."""
        rows = self._first
        if purpose is not Purpose.EVALUATION:
            return len(rows.train)
        # Those that a run watches are not trained on.
        watched = rows.validation if self._spec.reacts and self._spec.protocol > 1 else ()
        return len(rows.rest) - len(watched)

    def updates_per_epoch(self, arm: Arm) -> int:
        """Updates per epoch of an arm's search."""
        return self._spec.updates_per_epoch(arm, self.rows(Purpose.SEARCH))

    @cached_property
    def example(self) -> Problem:
        """What a search's problem is like, on at most `EXAMPLE_ROWS` rows: a large table is not copied to look at its
        model.
        """
        return self.task.problem(self._first.train[:EXAMPLE_ROWS], self._first.validation[:EXAMPLE_ROWS])

    @cached_property
    def _first(self) -> Split:
        """The rows of the first repeat; every replicate has as many."""
        spec = self._spec
        return self.task.split(spec.seed, 0) if spec.protocol == 1 else self.task.split(spec.seed, 0, 0)

    def seeds(self, purpose: Purpose, repeat: int) -> list[int]:
        """The seeds of a repeat's replicates: different for each purpose, the same for every arm."""
        spec = self._spec
        count = {
            Purpose.SEARCH: spec.seeds,
            Purpose.FINALIST: spec.finalist_seeds,
            Purpose.EVALUATION: spec.confirm_seeds,
        }[purpose]
        return seeds(spec.seed, f"{purpose.value} seeds", repeat, count=count)
