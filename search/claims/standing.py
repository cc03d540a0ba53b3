"""What a ledger has of the survey: every claim on every task, read without running anything.

A claim with studies is judged as soon as all its experiments are done, at the largest budget at which they are. One
about a surface is computed anew, which takes milliseconds. What is computed from a task's rows, or measured, is not in
the ledger: only its command can be told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cooldown.objectives import surfaces, tasks
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.claims import survey
from cooldown.search.claims.budgets import BUDGETS, Budget
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.planning import PREFIX, name_of, specs
from cooldown.search.claims.result import ClaimResult
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Word, findings
from cooldown.storage import Status, Summary

State = Word | Literal["running", "not finished", "not run", "on request"]


@dataclass(frozen=True)
class Place:
    """What there are claims on: a surface, or a task of experiments in a ledger.

    target, fingerprint: of the task's data, None for a surface.
    """

    name: str
    target: str | None = None
    fingerprint: str | None = None

    @property
    def order(self) -> tuple[int, str, str, str]:
        """By which places are listed: tasks before surfaces, by name."""
        return int(self.fingerprint is None), self.name, self.target or "", self.fingerprint or ""


@dataclass(frozen=True)
class Standing:
    """Where a claim stands on a place. state: its verdict, or why there is none. experiments: the names of those that
    it rests on, or is waiting for. result: None where there is no verdict.
    """

    claim: Claim
    place: Place
    state: State
    experiments: tuple[str, ...] = ()
    result: ClaimResult | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: as `cooldown claim --json` prints a result, with the state; null and empty where there is no
        verdict.
        """
        result = self.result or ClaimResult(self.claim, self.place.name, None)
        # Without a result, what it would say of an inapplicable claim says nothing.
        unknown = {} if self.result else {"verdict": None, "sentence": None}
        of_place = {"target": self.place.target, "state": self.state, "experiments": list(self.experiments)}
        return {**result.to_json(), **unknown, **of_place}


def of_claims(summaries: Sequence[Summary]) -> dict[str, Summary]:
    """The experiments of claims among a ledger's, by name."""
    return {each.name: each for each in summaries if each.name.startswith(PREFIX)}


def version(of: Summary) -> tuple[Any, ...]:
    """A value that changes whenever another verdict may rest on an experiment."""
    return of.name, of.status, of.finished_at


def places(summaries: Sequence[Summary]) -> list[Place]:
    """The tasks of the ledger's experiments of claims, by name; then the surfaces that claims are about."""
    found = {
        Place(str(each.spec["task"]), each.spec.get("target"), each.task_fingerprint)
        for each in of_claims(summaries).values()
    }
    surfaces_of = {Place(claim.surface) for claim in survey.every() if claim.surface}
    return sorted(found | surfaces_of, key=lambda place: place.order)


def standing(claim: Claim, place: Place, summaries: Mapping[str, Summary], load: Callable[[str], View]) -> Standing:
    """Where a claim stands. summaries: of the ledger's experiments, by name. load: the view of one that is done."""
    if reason := why_not(claim, place):
        result = ClaimResult(claim, place.name, None, why_not=reason)
        return Standing(claim, place, "not applicable", result=result)
    if claim.surface and claim.computed is not None:
        found = findings(claim.computed(surfaces.get(place.name), "small"))
        result = ClaimResult(claim, place.name, None, tuple(found))
        return Standing(claim, place, result.verdict, result=result)
    if not claim.kept:
        return Standing(claim, place, "on request")
    by_budget = {budget: _names(claim, place, budget) for budget in reversed(BUDGETS)}
    for budget, names in by_budget.items():
        if all(name in summaries and summaries[name].status is Status.DONE for name in names):
            found = findings(claim.of_studies([load(name) for name in names]))
            result = ClaimResult(claim, place.name, budget, tuple(found), tuple(names))
            return Standing(claim, place, result.verdict, tuple(names), result)
    for names in by_budget.values():
        begun = tuple(name for name in names if name in summaries)
        if begun:
            running = any(summaries[name].status.under_way for name in begun)
            return Standing(claim, place, "running" if running else "not finished", begun)
    return Standing(claim, place, "not run")


def _names(claim: Claim, place: Place, budget: Budget) -> list[str]:
    wanted = specs(claim, place.name, place.target, budget)
    return [name_of(spec, str(place.fingerprint)) for spec in wanted]


def why_not(claim: Claim, place: Place) -> str:
    """Why a claim does not apply, as far as that is known without opening a file or a download of a user's."""
    if place.fingerprint is None:
        return claim.why_not(surfaces.get(place.name))
    if claim.surface:
        return claim.about_a_surface
    task = tasks.get(place.name) if place.name in tasks.names() else None
    return claim.why_not(task) if isinstance(task, ArrayTask) and not task.downloads else ""
