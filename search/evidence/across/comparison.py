"""A comparison over tasks: the question and the ranks, over the tasks that are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.across.measured import KINDS, LeftOut, Measured
from cooldown.search.evidence.across.question import Across, across
from cooldown.search.evidence.across.ranking import Ranking, ranking


@dataclass(frozen=True)
class Asked:
    """What is compared, and over which tasks.

    primary: the two arms of the question, None for the survey's. kind: of the tasks, None for any. least, most: their
    training rows, None for any number. Raises InputError for an unknown kind, and for no rows at all.
    """

    primary: tuple[str, str] | None = None
    kind: str | None = None
    least: int | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise unknown_name("kind of task", self.kind, KINDS)
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InputError(f"rows: at least {self.least:,} and at most {self.most:,} rows are none")
        if self.primary is not None and self.primary[0] == self.primary[1]:
            raise InputError(f"primary: should be two different arms, got {self.primary[0]!r} twice")

    def includes(self, each: Measured) -> bool:
        """Whether a task is among them."""
        of_size = (self.least is None or (each.rows or 0) >= self.least) and (
            self.most is None or (each.rows is not None and each.rows <= self.most)
        )
        return of_size and self.kind in (None, each.kind)


@dataclass(frozen=True)
class Comparison:
    """The question and the ranks of all arms over tasks. left_out: the experiments that the question leaves out."""

    across: Across
    ranking: Ranking
    left_out: tuple[LeftOut, ...]


def compared(found: Sequence[Measured | LeftOut], asked: Asked) -> Comparison:
    """The comparison of experiments; raises InputError for an arm of the question that none of them has."""
    every = [each for each in found if isinstance(each, Measured)]
    arms = sorted({arm for each in every for arm in each.losses})
    for arm in asked.primary or ():
        if arm not in arms:
            raise unknown_name("arm", arm, arms)
    chosen = [each for each in every if asked.includes(each)]
    others = (LeftOut(each.experiment, "its task is not asked for") for each in every if not asked.includes(each))
    result = across(chosen, asked.primary)
    unknown = (each for each in found if isinstance(each, LeftOut))
    return Comparison(result, ranking(chosen), (*result.left_out, *others, *unknown))
