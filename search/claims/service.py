"""Checking claims: what `cooldown claim` and `cooldown claims` call."""

from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath
from typing import Any

from threadpoolctl import threadpool_limits

from cooldown.objectives import surfaces, tasks
from cooldown.objectives.surfaces import Surface
from cooldown.objectives.tasks import Task
from cooldown.search.claims import survey
from cooldown.search.claims.budgets import Budget, read_budget
from cooldown.search.claims.entry import Claim, Subject
from cooldown.search.claims.planning import name_of, specs
from cooldown.search.claims.result import ClaimResult
from cooldown.search.evidence.view import View
from cooldown.search.experiments.running import Report
from cooldown.search.experiments.service import compare, load, summaries
from cooldown.search.spec.experiment import Experiment
from cooldown.search.statistics.claims import findings
from cooldown.search.tuning.held import RunError
from cooldown.storage import Status


@dataclass(frozen=True)
class Checks:
    """The checks of claims on one task, or surface. task, target: as in `claim`, as are all others."""

    task: Any
    budget: Budget
    target: str | None = None
    db: str | PathLike[str] | None = None
    workers: int | None = None
    executor: str | None = None
    report: Report | None = None

    @cached_property
    def subject(self) -> Subject:
        """The task or the surface itself."""
        if isinstance(self.task, Surface):
            return self.task
        if isinstance(self.task, str) and self.task in surfaces.names():
            return surfaces.get(self.task)
        return tasks.given(self.task, target=self.target)

    def check(self, claim: Claim) -> ClaimResult:
        """Check one claim; see `claim`."""
        name = self.subject.name
        if why := claim.why_not(self.subject) or self._unnamed(claim):
            return ClaimResult(claim, name, self.budget, why_not=why)
        names, views = self._experiments(claim) if isinstance(self.subject, Task) else ([], [])
        # Products of small matrices, on which threads would only wait for each other.
        with threadpool_limits(1):
            computed = [] if claim.computed is None else claim.computed(self.subject, self.budget)
            found = findings([*claim.of_studies(views), *computed])
        return ClaimResult(claim, name, self.budget, tuple(found), tuple(names))

    def _unnamed(self, claim: Claim) -> str:
        """Why a claim whose networks are trained again cannot be checked on an object; "" where it can."""
        named = isinstance(self.task, str | PathLike) or tasks.origin(self.subject.name) != "object"
        again = "its networks are trained again, for which the task must be a file or one that a name loads"
        return again if claim.retrains and not named else ""

    def _experiments(self, claim: Claim) -> tuple[list[str], list[View]]:
        """The names and the views of a claim's experiments; those that are missing are run."""
        assert isinstance(self.subject, Task)
        # A table in memory and a Task object have no name that a spec could load them by.
        named = isinstance(self.task, str | PathLike)
        text = fspath(self.task) if named else self.subject.name
        wanted = specs(claim, text, self.target if named else None, self.budget)
        names = [name_of(spec, self.subject.fingerprint()) for spec in wanted]
        return names, [self._view(*each) for each in zip(names, wanted, strict=True)]

    def _view(self, name: str, spec: Experiment) -> View:
        """The experiment `name` of a claim, run to its end if it is not yet there."""
        recorded = {summary.name: summary for summary in summaries(self.db)}.get(name)
        if recorded is not None and recorded.status is Status.DONE:
            return load(name, db=self.db).view
        # The repeats are given also at their default: without them an experiment goes on until it answers.
        settings: dict[str, Any] = {key: value for key, value in spec if not spec.at_default(key) and key != "task"}
        settings["repeats"] = spec.repeats
        task = self.task if isinstance(self.task, str | PathLike) else self.subject
        where: dict[str, Any] = {"db": self.db, "workers": self.workers, "executor": self.executor}
        result = compare(task, name=name, **where, report=self.report, **settings)
        if result.status is not Status.DONE:
            again = "the same command continues it"
            raise RunError(f"experiment {name!r}, on which the claim rests, is {result.status.value}; {again}")
        return result.view


def claim(
    id: str,
    task: Any,
    *,
    budget: str = "small",
    target: str | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    report: Report | None = None,
) -> ClaimResult:
    """Check the claim `id` of the survey on `task`.

    id: as `cooldown claims` lists them, such as "C3". task: as in `compare`, or for a claim about a surface its name.
    budget: "small", "standard" or "full". target: the column to predict, for a table. The experiments that it takes are
    stored in the ledger under names that follow from their specs, and shared with other claims; what is there already,
    also with repeats that were added later, is not run again. db, workers, executor, report: as in `compare`.
    Raises InputError for an unknown claim, task or budget.
    """
    found = survey.get(id)
    return Checks(task, read_budget(budget), target, db, workers, executor, report).check(found)


def claims(
    task: Any,
    *,
    budget: str = "small",
    target: str | None = None,
    db: str | PathLike[str] | None = None,
    workers: int | None = None,
    executor: str | None = None,
    report: Report | None = None,
) -> list[ClaimResult]:
    """Check every claim of the survey on `task`: arguments and errors as for `claim`."""
    checks = Checks(task, read_budget(budget), target, db, workers, executor, report)
    return [checks.check(each) for each in survey.every()]
