"""`Splits`: the problems and seeds of an experiment, as functions of seed, repeat and replicate, never of the arm.

This module ensures that the arms use common random numbers, and that a search never sees the test rows.
"""

from collections.abc import Sequence
from functools import cached_property

from cooldown.objectives.errors import InputError
from cooldown.objectives.problem import Loop, Model, Problem
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.tasks import Task
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.executors.jobs import pack
from cooldown.search.spec.arms import Arm
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.task_fields import BY_TASK, OWN_TEST
from cooldown.storage import ExperimentRecord, Purpose


def task_of(spec: Experiment, given: Task | None = None) -> Task:
    """The spec's task with the spec's hidden layers, measures and weights: the object `given`, or the task that the
    spec names.

    Raises InputError for an unknown task, for what is said of a table beside a task object, for a task that has not the
    test rows, groups or times of its own that the spec says it has, and for measures or weights that do not fit.
    """
    from cooldown.objectives import tasks

    named = {name: getattr(spec, name) for name in ("target", "sample_weight", *BY_TASK)}
    own = [name for name in BY_TASK if named[name] == OWN_TEST]
    named |= dict.fromkeys(own)
    if given is None:
        task = tasks.resolve(spec.task, hidden=spec.hidden, **named, kind=spec.kind, reading=spec.reading)
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
        task = task_of(spec, given)
    except UntrustedModuleError:
        raise
    except InputError as error:
        raise InputError(f"the task of {record.name!r} cannot be loaded ({error})") from error
    if task.fingerprint() != record.task_fingerprint:
        raise InputError(f"the data of task {task.name!r} have changed since {record.name!r} was started")
    return task


MOST_KEPT = 6
"""Packed problems that are kept: those of two repeats. Studies are worked on repeat by repeat."""


class Splits:
    """The problems and seeds of an experiment on `task`, packed for the workers.

    A job's seeds have a problem each, as `train` takes them, or share one. If any arm of the experiment depends on
    its validation loss, all its evaluations are trained without the rows that such a run watches.
    """

    def __init__(self, task: Task, spec: Experiment) -> None:
        self.task, self._spec = task, spec
        self._packed: dict[tuple[Purpose, int], bytes] = {}
        self._rows: dict[Purpose, int] = {}

    def packed(self, purpose: Purpose, repeat: int) -> bytes:
        """The packed problem of each seed of a repeat's runs with this purpose; no test row is in those of a search."""
        key = purpose, repeat
        if key not in self._packed:
            if len(self._packed) >= MOST_KEPT:
                del self._packed[next(iter(self._packed))]
            self._packed[key] = pack(self.problems(purpose, repeat))
        return self._packed[key]

    def problems(self, purpose: Purpose, repeat: int, replicates: Sequence[int] | None = None) -> tuple[Problem, ...]:
        """The problem of each of `replicates` in a repeat's runs with this purpose.

        replicates: seeds, by default those of this purpose.
        """
        task, spec = self.task, self._spec
        if replicates is None:
            replicates = self.seeds(purpose, repeat)
        if spec.protocol == 1:
            evaluated = purpose is Purpose.EVALUATION
            problem = task.evaluation_problem(spec.seed) if evaluated else task.search_problem(spec.seed, repeat)
            return (problem,) * len(replicates)
        if purpose is Purpose.EVALUATION:
            return task.evaluation_problems(spec.seed, repeat, replicates, watching=spec.reacts)
        return task.search_problems(spec.seed, repeat, replicates)

    def rows(self, purpose: Purpose) -> int:
        """How many rows a run with this purpose trains on."""
        if purpose not in self._rows:
            (problem,) = self.problems(purpose, 0, [0])
            self._rows[purpose] = len(problem.train)
        return self._rows[purpose]

    def updates_per_epoch(self, arm: Arm) -> int:
        """Updates per epoch of an arm's search."""
        return self._spec.updates_per_epoch(arm, self.rows(Purpose.SEARCH))

    @cached_property
    def model(self) -> Model | Loop:
        """The model of a search, or the loop."""
        return self.task.search_problem(self._spec.seed).model

    def seeds(self, purpose: Purpose, repeat: int) -> list[int]:
        """The seeds of a repeat's replicates: different for each purpose, the same for every arm."""
        spec = self._spec
        count = {
            Purpose.SEARCH: spec.seeds,
            Purpose.FINALIST: spec.finalist_seeds,
            Purpose.EVALUATION: spec.confirm_seeds,
        }[purpose]
        return seeds(spec.seed, f"{purpose.value} seeds", repeat, count=count)
