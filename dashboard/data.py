"""What the pages read: the ledger that the dashboard was started with, and no other."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import streamlit as st

from cooldown.objectives.errors import InputError
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import short
from cooldown.storage import Ledger, NoLedgerError, Status, Summary
from cooldown.storage.address import database_url

LIVE = 2.0
"""Seconds between two looks at what is being run."""

Version = tuple[Any, ...]
T = TypeVar("T")


class Newest(Generic[T]):
    """Of each experiment the newest version of something, for the `most` experiments that were asked for last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[Version, T]] = OrderedDict()

    def peek(self, of: Summary) -> T | None:
        """What is kept of this version; None where it would have to be made."""
        kept = self._kept.get(of.name)
        return kept[1] if kept and kept[0] == version(of) else None

    def get(self, of: Summary, make: Callable[[], T]) -> T:
        """What is kept of this version, or made now."""
        found = self.peek(of)
        if found is None:
            found = make()
        self._kept[of.name] = version(of), found
        self._kept.move_to_end(of.name)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return found


def where() -> str:
    """The address of the ledger."""
    return database_url(None)


def summaries() -> list[Summary]:
    """All experiments, newest first; none where there is no ledger yet. Raises LedgerError for what is no ledger."""
    try:
        return _ledger(where()).summaries()
    except NoLedgerError:
        return []


def summary(name: str) -> Summary | None:
    """The line of one experiment; None where it is gone."""
    return next((each for each in summaries() if each.name == name), None)


def version(of: Summary) -> Version:
    """What changes whenever there may be more to read of an experiment."""
    if of.status is Status.DONE:
        return of.created_at, of.finished_at
    return of.created_at, of.status, _ledger(where()).appended()


def result(of: Summary) -> Result:
    """The experiment as the ledger has it; read again only when there is more."""
    kept: Newest[Result] = _results()
    return kept.get(of, lambda: Result(_ledger(where()).load(of.name)))


def verdict(of: Summary, *, now: bool) -> str | None:
    """The answer in three words. None where it is not known yet, unless it is wanted `now`."""
    kept: Newest[str] = _verdicts()
    # An experiment that runs has had no answer since it began.
    if of.status is Status.RUNNING:
        return "not yet known"
    return kept.get(of, lambda: _answer(of)) if now else kept.peek(of)


def _answer(of: Summary) -> str:
    try:
        return in_words(result(of))
    except InputError:
        # It may have an optimizer or a schedule of a module that is not there; its own pages say which.
        return "cannot be read here"


def in_words(found: Result) -> str:
    """The first pair's verdict in three words."""
    if not found.verdicts:
        return "one arm only"
    first = found.verdicts[0]
    if first.difference is None:
        return "not yet known"
    return {"a_better": f"{short(first.a)} wins", "b_better": f"{short(first.b)} wins", "tie": "a tie"}.get(
        first.verdict, "undecided"
    )


@st.cache_resource(show_spinner=False)
def _ledger(url: str) -> Ledger:
    return Ledger(url, create=False)


@st.cache_resource(show_spinner=False)
def _results() -> Any:
    return Newest(most=6)


@st.cache_resource(show_spinner=False)
def _verdicts() -> Any:
    return Newest(most=1000)
