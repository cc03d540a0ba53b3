"""The data of the pages: the ledger that the dashboard was started with, and no other."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import streamlit as st

from cooldown.search.evidence.across.measured import LeftOut, Measured
from cooldown.search.evidence.standing import Leaders
from cooldown.search.experiments.across import Measuring, of_ledger
from cooldown.search.experiments.result import Result
from cooldown.search.service.events import Event, Position
from cooldown.search.service.events import news as news_of
from cooldown.search.spec.recorded import with_studies
from cooldown.storage import (
    Ledger,
    NoLedgerError,
    Status,
    Summary,
    UnknownExperimentError,
    UnreadableError,
    Winner,
)
from cooldown.storage.address import database_url

LIVE = 2.0
"""Seconds between two reads of an experiment that is running."""

Version = tuple[Any, ...]
T = TypeVar("T")


class Newest(Generic[T]):
    """A cache: the newest version of something for each of the `most` experiments that were requested last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[Version, T]] = OrderedDict()

    def peek(self, of: Summary) -> T | None:
        """The cached value of this version; None where there is none."""
        kept = self._kept.get(of.name)
        return kept[1] if kept and kept[0] == version(of) else None

    def get(self, of: Summary, make: Callable[[], T]) -> T:
        """The cached value of this version, made now where there is none."""
        value = self.peek(of)
        if value is None:
            value = make()
        self._kept[of.name] = version(of), value
        self._kept.move_to_end(of.name)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value


def where() -> str:
    """The address of the ledger."""
    return database_url(None)


def summaries() -> list[Summary]:
    """All experiments that can be read, newest first; none where there is no ledger yet. Raises LedgerError for any
    other database.
    """
    try:
        return _ledger(where()).summaries()
    except NoLedgerError:
        return []


def names() -> list[str]:
    """The names of all experiments, newest first, those that cannot be read last; none where there is no ledger yet.
    Costs a fifth of `summaries`, which count trials.
    """
    try:
        return _ledger(where()).names()
    except NoLedgerError:
        return []


def unreadable() -> list[UnreadableError]:
    """Why other experiments cannot be shown; none where there is no ledger yet."""
    try:
        return _ledger(where()).unreadable()
    except NoLedgerError:
        return []


def summary(name: str) -> Summary | None:
    """The summary of one experiment; None where it no longer exists. Raises UnreadableError for a damaged one."""
    try:
        return _ledger(where()).summary(name)
    except (NoLedgerError, UnknownExperimentError):
        return None


def version(of: Summary) -> Version:
    """A value that changes whenever there may be more to read of an experiment."""
    if of.status is Status.DONE:
        return of.created_at, of.finished_at
    return of.created_at, of.status, _ledger(where()).appended()


def result(of: Summary) -> Result:
    """The experiment as it is in the ledger; read again only when there is more."""
    kept: Newest[Result] = _results()
    return kept.get(of, lambda: Result(with_studies(_ledger(where()).load(of.name))))


def news(of: Summary, seen: Position) -> list[Event]:
    """What happened in an experiment after a position; none where it no longer exists."""
    try:
        return news_of(_ledger(where()), of.name, seen)
    except UnknownExperimentError:
        return []


def winners() -> dict[str, Sequence[Winner]]:
    """The winners of every experiment, by its name; none where there is no ledger yet."""
    try:
        return _ledger(where()).winners()
    except NoLedgerError:
        return {}


def measured() -> list[Measured | LeftOut]:
    """What a comparison over tasks takes of every experiment; nothing where there is no ledger yet."""
    try:
        return of_ledger(_ledger(where()), (), _measuring())
    except NoLedgerError:
        return []


@st.cache_resource(show_spinner=False)
def _measuring() -> Measuring:
    return Measuring()


@st.cache_resource(show_spinner=False)
def leaders() -> Leaders:
    """Who leads each experiment, or why it cannot be listed."""
    return Leaders()


@st.cache_resource(show_spinner=False)
def _ledger(url: str) -> Ledger:
    return Ledger(url, create=False)


@st.cache_resource(show_spinner=False)
def _results() -> Any:
    return Newest(most=6)
