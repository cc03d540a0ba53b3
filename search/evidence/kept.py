"""What is worked out of every experiment of a list, again only for those that have changed since."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from cooldown.storage import Summary, Winner

T = TypeVar("T")


class Kept(Generic[T]):
    """The results of `work_out`, a function of an experiment's summary and winners, by the experiment's name."""

    def __init__(self, work_out: Callable[[Summary, Sequence[Winner]], T]) -> None:
        self._work_out = work_out
        self._kept: dict[str, tuple[Summary, Sequence[Winner], T]] = {}

    def of(self, summary: Summary, winners: Sequence[Winner]) -> T:
        """The result for this experiment as it is now."""
        kept = self._kept.get(summary.name)
        if kept is None or kept[:2] != (summary, winners):
            kept = self._kept[summary.name] = summary, winners, self._work_out(summary, winners)
        return kept[2]
