"""Which experiments a list shows: those of an owner, with a tag, and with a text in their name, task or notes.

What is chosen is part of the address, and the same on every page that has such a list.

    choices = filters.choices(summaries)
    wanted = filters.chosen(choices)
    shown = [summary for summary in summaries if wanted(summary)]
"""

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.objectives.plain_text import visible
from cooldown.storage import Summary
from cooldown.storage.terms import LONGEST_NOTES

WIDTH = 220
"""Of each choice in pixels: a narrow window shows one in a row."""


@dataclass(frozen=True)
class Choices:
    """What there is to choose from, in alphabetical order."""

    owners: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """Which experiments are wanted. None or "": any. text: in any case of its letters."""

    owner: str | None = None
    tag: str | None = None
    text: str = ""

    def __call__(self, summary: Summary) -> bool:
        """Whether this experiment is wanted."""
        terms = summary.terms
        told = "\n".join((summary.name, str(summary.spec.get("task")), terms.notes)).casefold()
        return (
            self.owner in (None, terms.owner)
            and (self.tag is None or self.tag in terms.tags)
            and self.text.casefold() in told
        )


def choices(summaries: Iterable[Summary]) -> Choices:
    """The owners and the tags that there are."""
    terms = [summary.terms for summary in summaries]
    owners = {each.owner for each in terms if each.owner}
    return Choices(tuple(sorted(owners)), tuple(sorted({tag for each in terms for tag in each.tags})))


def chosen(choices: Choices) -> Filter:
    """Let the reader choose, and say what they have chosen."""
    with st.container(horizontal=True):
        owner = _one_of("Owner", "owner", choices.owners)
        tag = _one_of("Tag", "tag", choices.tags)
        text = addressed.text(
            "Find", "find", LONGEST_NOTES, type="search", placeholder="Name, task or notes", width=WIDTH
        )
    return Filter(owner, tag, text.strip())


def _one_of(label: str, key: str, options: tuple[str, ...]) -> str | None:
    if not options:
        return None
    return addressed.perhaps(
        st.selectbox, label, options, key, index=None, format_func=visible, placeholder="All", width=WIDTH
    )
