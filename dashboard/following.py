"""What happened last in an experiment: the events that the API streams, as a page shows them."""

from dataclasses import dataclass, field

import streamlit as st

from cooldown.dashboard import data
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.service.events import AT_ONCE, Event, Position
from cooldown.search.spec.arms import short
from cooldown.storage import Summary

KEPT = 12
"""Events that are shown."""


@dataclass
class _Followed:
    """How far this tab has followed an experiment, and its last events, newest first."""

    seen: Position
    lines: list[str] = field(default_factory=list)


def last_events(of: Summary) -> list[str]:
    """The last events of an experiment in words, newest first; only what is new is read."""
    followed = st.session_state.get("followed")
    if followed is None or followed[:2] != (of.name, of.created_at):
        followed = st.session_state["followed"] = of.name, of.created_at, _Followed(Position(of.created_at))
    kept: _Followed = followed[2]
    while events := data.news(of, kept.seen):
        kept.seen = events[-1].position
        kept.lines = [*map(_in_words, reversed(events)), *kept.lines][:KEPT]
        if len(events) < AT_ONCE:
            break
    return kept.lines


def _in_words(event: Event) -> str:
    about = event.data
    if event.name == "status":
        return f"{about['status']}: {about['message']}" if about["message"] else str(about["status"])
    loss = formatted(about["validation_loss"], Form.LOSS)
    return f"{short(about['arm'])}, repeat {about['repeat']}, trial {about['trial']}: validation loss {loss}"
