"""`Claim`: one statement of the survey, what it takes to check it, and how the results are judged.

The evidence of a claim is made of parts (`statistics.claims.Part`): effects in repeats, with the limits between which
the claim says that they lie. They come from experiments in the ledger (`studies`, `of_studies`), or from a computation
that takes seconds and of which nothing is kept (`computed`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cooldown.objectives.catalog import Entry
from cooldown.objectives.surfaces import Surface
from cooldown.objectives.tasks import Task
from cooldown.search.claims.budgets import SETTINGS, Budget
from cooldown.search.evidence.view import View
from cooldown.search.statistics.claims import Part

Subject = Task | Surface
"""What a claim is checked on."""


@dataclass(frozen=True)
class Study:
    """An experiment of a claim.

    arms: what it compares. fixed: further settings of `compare`, at every budget. times: by how much settings of the
    budget are multiplied.
    """

    arms: tuple[str, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)

    def settings(self, budget: Budget) -> dict[str, Any]:
        """The settings of `compare` at a budget."""
        multiplied = {name: int(SETTINGS[budget][name] * factor) for name, factor in self.times.items()}
        return {**SETTINGS[budget], "arms": self.arms, **self.fixed, **multiplied}


def everywhere(_: Task) -> str:
    """Of a claim that applies to all tasks."""
    return ""


@dataclass(frozen=True)
class Claim(Entry):
    """A claim.

    name: that of its file. id: by which users call it. statement: what it says. source: who says it. published: the
        figure that it is held against, "" for none.
    studies: the experiments that it takes. of_studies: its parts, from their views in the same order.
    computed: further parts, from the task or the surface itself, at a budget.
    retrains: whether the parts of the studies take networks that are trained once more.
    limits: why it does not apply to a task; "" if it does.
    surface: the surface that it is about, in place of a task; "" for none.
    measured: whether what is computed depends on the machine, as times do.
    """

    name: str
    id: str
    statement: str
    source: str
    published: str
    studies: tuple[Study, ...] = ()
    of_studies: Callable[[Sequence[View]], list[Part]] = lambda _: []
    computed: Callable[[Any, Budget], list[Part]] | None = None
    limits: Callable[[Task], str] = everywhere
    surface: str = ""
    measured: bool = False
    retrains: bool = False

    @property
    def kind(self) -> Literal["experiment", "computed", "measured"]:
        """Where its numbers come from: at least in part from experiments, or not at all."""
        if self.studies:
            return "experiment"
        return "measured" if self.measured else "computed"

    @property
    def kept(self) -> bool:
        """Whether all that its verdict rests on is in the ledger."""
        return self.computed is None and not self.retrains

    @property
    def about_a_surface(self) -> str:
        """Why a claim about a surface does not apply to anything else."""
        return f"it is about the surface {self.surface!r}: cooldown claim {self.id} {self.surface}"

    def why_not(self, subject: Subject) -> str:
        """Why the claim does not apply to a task or a surface; "" if it does."""
        if self.surface:
            return "" if isinstance(subject, Surface) and subject.name == self.surface else self.about_a_surface
        if isinstance(subject, Surface):
            return "it is about training on rows, which a surface does not have"
        return self.limits(subject)
