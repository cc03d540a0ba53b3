"""What is worked out of every experiment of a list, again only for those that have changed since."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from cooldown.storage import Summary, Winner

T = TypeVar("T")

MOST = 10_000
"""Experiments whose results are kept: more than a ledger has as a rule, and deleted ones are among them."""


class Kept(Generic[T]):
    """The results of `work_out`, a function of an experiment's summary and winners, by the experiment's name: those of
    the `most` that were asked for last. May be used by several threads.
    """

    def __init__(self, work_out: Callable[[Summary, Sequence[Winner]], T], most: int = MOST) -> None:
        self._work_out, self._most = work_out, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Summary, Sequence[Winner], T]] = OrderedDict()

    def of(self, summary: Summary, winners: Sequence[Winner]) -> T:
        """The result for this experiment as it is now."""
        with self._lock:
            kept = self._kept.get(summary.name)
        if kept is None or kept[:2] != (summary, winners):
            kept = summary, winners, self._work_out(summary, winners)
        with self._lock:
            self._kept[summary.name] = kept
            self._kept.move_to_end(summary.name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return kept[2]
