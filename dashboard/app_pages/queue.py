"""The queue: what runs, what waits in its order, what is paused and what ended last, with what a reader may do."""

from collections.abc import Sequence

import streamlit as st

from cooldown.dashboard import acting, data
from cooldown.dashboard.parts import errors_shown, plain, terminal
from cooldown.dashboard.queue_cards import section
from cooldown.objectives.plain_text import visible
from cooldown.search.experiments.queueing import IN_ORDER, in_order
from cooldown.search.service.access.principal import Principal
from cooldown.storage import Status, Summary
from cooldown.storage.tokens import Role

PAGE = {"title": "Queue", "icon": "low_priority", "section": "", "place": 12}

SECTIONS = ("Running", Status.RUNNING), ("Queued", Status.QUEUED), ("Paused", Status.PAUSED)

Filters = tuple[list[str], list[str]]
"""The owners and the tags that there are."""


def _filters(summaries: Sequence[Summary]) -> Filters:
    owners = {each.terms.owner for each in summaries if each.terms.owner}
    return sorted(owners), sorted({tag for each in summaries for tag in each.terms.tags})


def _choice(label: str, key: str, options: list[str]) -> str | None:
    """Let the reader choose one of these; it is part of the address."""
    if not options:
        return None
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        format_func=visible,
        placeholder="All",
        width=220,
    )


def _may(who: Principal | None) -> str:
    """Who looks at the page, and what they may change, as Markdown."""
    if not acting.offers():
        return "This dashboard only reads. A server (`cooldown serve`) has buttons; in a terminal:"
    if who is None:
        return "You can only read. To change experiments, sign in again with a token."
    if not who.may(Role.SUBMIT):
        return f"Signed in as {plain(who.shown)}, with a token to read."
    if who.may(Role.ADMIN):
        return "You can change all experiments." if not who.name else f"Signed in as {plain(who.name)}, as an admin."
    return f"Signed in as {plain(who.name)}: you can change your own experiments."


def _ended(summary: Summary) -> float:
    return summary.finished_at or summary.queue.since or summary.created_at


def _queue(summaries: Sequence[Summary], owner: str | None, tag: str | None) -> None:
    who, listed = acting.who(), in_order(summaries)
    st.caption(_may(who))
    if not acting.offers():
        terminal("pause", "NAME")
    last = acting.outcome()
    if last is not None:
        (st.success if last.done else st.error)(plain(f"{last.said}."))

    def wanted(summary: Summary) -> bool:
        return owner in (None, summary.terms.owner) and (tag is None or tag in summary.terms.tags)

    shown = [each for each in listed if wanted(each)]
    if not shown:
        st.info("Nothing runs or waits. Add something in a terminal:")
        terminal("submit", "digits")
    for title, status in SECTIONS:
        section(title, [each for each in shown if each.status is status], listed, who)
    ended = [each for each in summaries if each.status not in IN_ORDER and wanted(each)]
    section("Ended", sorted(ended, key=_ended, reverse=True), listed, who)


st.title("Queue")
with errors_shown():
    filters = _filters(data.summaries())
    with st.container(horizontal=True):
        owner = _choice("Owner", "owner", filters[0])
        tag = _choice("Tag", "tag", filters[1])

    @st.fragment(run_every=data.LIVE)
    def queue() -> None:
        """The queue, which is always updated: anybody can add to it."""
        with errors_shown():
            summaries = data.summaries()
            if _filters(summaries) != filters or st.query_params.get("experiment") != st.session_state["address"]:
                # The choices are outside of what is updated.
                st.rerun()
            _queue(summaries, owner, tag)

    queue()
