"""The queue: what runs, what waits in its order, what is paused and what ended last, with what a reader may do."""

from collections.abc import Sequence

import streamlit as st

from cooldown.dashboard import acting, data, filters
from cooldown.dashboard.filters import Filter
from cooldown.dashboard.pages import page
from cooldown.dashboard.parts import errors_shown, notes, plain, terminal
from cooldown.dashboard.queue_cards import section
from cooldown.search.experiments.queueing import IN_ORDER, in_order
from cooldown.search.service.access.principal import Principal
from cooldown.storage import Status, Summary
from cooldown.storage.tokens import Role

PAGE = {"title": "Queue", "icon": "low_priority", "section": "", "place": 12}

SECTIONS = (
    ("Running", Status.RUNNING),
    ("Open to training loops", Status.OPEN),
    ("Queued", Status.QUEUED),
    ("Paused", Status.PAUSED),
)


def _may(who: Principal | None) -> str:
    """Who looks at the page, and what they may change, as Markdown."""
    if not acting.offers():
        return "This dashboard is read-only. A server (`cooldown serve`) has buttons; in a terminal:"
    if who is None:
        return "You can only read. To change experiments, sign in again with a token."
    if not who.may(Role.SUBMIT):
        return f"Signed in as {plain(who.shown)}, with a token to read."
    if who.may(Role.ADMIN):
        return "You can change all experiments." if not who.name else f"Signed in as {plain(who.name)}, as an admin."
    return f"Signed in as {plain(who.name)}: you can change your own experiments."


def _ended(summary: Summary) -> float:
    return summary.finished_at or summary.queue.since or summary.created_at


def _queue(summaries: Sequence[Summary], wanted: Filter) -> None:
    who, listed = acting.who(), in_order(summaries)
    st.caption(_may(who))
    if not acting.offers():
        terminal("pause", "NAME")
    acting.show_outcome()

    shown = [each for each in listed if wanted(each)]
    if not shown:
        st.info("Nothing is running or queued. Add something on the page New experiment or in a terminal:")
        st.page_link(page("new"), label="New experiment", icon=":material/add_circle:")
        terminal("submit", "digits")
    for title, status in SECTIONS:
        section(title, [each for each in shown if each.status is status], listed, who)
    ended = [each for each in summaries if each.status not in IN_ORDER and wanted(each)]
    section("Ended", sorted(ended, key=_ended, reverse=True), listed, who)


st.title("Queue")
with errors_shown(), notes():
    choices = filters.choices(data.summaries())
    wanted = filters.chosen(choices)

    @st.fragment(run_every=data.LIVE)
    def queue() -> None:
        """The queue, which is always updated: anybody can add to it."""
        with errors_shown():
            summaries = data.summaries()
            if (
                filters.choices(summaries) != choices
                or st.query_params.get("experiment") != st.session_state["address"]
            ):
                # The choices are outside of what is updated.
                st.rerun()
            _queue(summaries, wanted)

    queue()
