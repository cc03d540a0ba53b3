"""Experiments in the queue, a card each: how it stands, and what its reader may do with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from cooldown.dashboard import acting, data
from cooldown.dashboard.annotating import editor
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import BADGES, errors_shown, people, plain
from cooldown.objectives.data.uploaded import in_short
from cooldown.search.evidence.numbers import formatted
from cooldown.search.evidence.standing import took
from cooldown.search.evidence.status import WILL, place, trials_asked
from cooldown.search.report.commands import reproduction
from cooldown.search.service import actions
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.service import Service
from cooldown.storage import Change, Status, Summary, UnreadableError
from cooldown.storage.names import first_free
from cooldown.storage.terms import MOST_PRIORITY

MOST = 20
"""Experiments of a section that are shown at first."""

ICONS = {
    "pause": "pause",
    "resume": "play_arrow",
    "stop": "stop",
    "cancel": "close",
    "priority": "low_priority",
    "notes": "edit_note",
    "duplicate": "content_copy",
    "delete": "delete",
}

VERBS: Mapping[Status, Sequence[str]] = {
    Status.RUNNING: ("pause", "stop", "cancel"),
    Status.OPEN: ("pause", "stop", "cancel"),
    Status.QUEUED: ("pause", "cancel"),
    Status.PAUSED: ("resume", "stop", "cancel"),
    Status.DONE: (),
}
"""What is done at once with an experiment of a status; one that ended before its plan was done can be resumed."""

HAVE_PRIORITY = (Status.RUNNING, Status.QUEUED, Status.PAUSED)

Panel = tuple[str, float, str]
"""Which question a reader has opened: the experiment's name and when it was created, and what it is about."""


def section(title: str, summaries: Sequence[Summary], listed: Sequence[Summary], who: Principal | None) -> None:
    """These experiments below a heading; nothing where there are none. listed: all of the queue, in their order. who:
    looks at them; None for one who only reads.
    """
    if not summaries:
        return
    st.header(f"{title} ({len(summaries):,})", anchor=False)
    key = f"shown of {title}"
    shown: int = st.session_state.get(key, MOST)
    for summary in summaries[:shown]:
        _card(summary, listed, who)
    if len(summaries) > shown:
        left = len(summaries) - shown

        def more() -> None:
            st.session_state[key] = shown + MOST

        st.button(f"Show {min(left, MOST)} more of {left:,}", key=f"more {title}", on_click=more)


def _card(summary: Summary, listed: Sequence[Summary], who: Principal | None) -> None:
    with st.container(border=True):
        label, icon, colour = BADGES[summary.status]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(label, icon=icon, color=colour)
            to = page("live" if summary.status.under_way else "verdict")
            st.page_link(to, label=plain(summary.name), query_params=address(summary.name))
        st.caption(" · ".join(_facts(summary, listed)))
        if summary.queue.requested is not None:
            st.caption(f":material/schedule: Requested: {WILL[summary.queue.requested]}.")
        _progress(summary)
        buttons(summary, mine=who is not None and who.owns(summary.terms.owner))


def _facts(summary: Summary, listed: Sequence[Summary]) -> list[str]:
    """What there is to say of it beside its status, as Markdown."""
    position, ran = place(summary, listed), took(summary)
    facts = [f"task {plain(in_short(str(summary.spec.get('task'))))}", *people(summary.terms)]
    if position is not None:
        facts.append("next" if position == 1 else f"place {position:,}")
    if summary.status in HAVE_PRIORITY:
        facts.append(f"priority {plain(f'{summary.terms.priority:,}')}")
    if ran != formatted(None):
        facts.append(f"ran {plain(ran)}")
    return facts


def _progress(summary: Summary) -> None:
    try:
        total = trials_asked(summary)
    except UnreadableError as error:
        st.caption(plain(f"Damaged: {error.reason}"))
        return
    if summary.status is Status.DONE:
        st.caption(f"{summary.trials:,} trials")
    else:
        st.progress(min(summary.trials / total, 1.0), text=f"{summary.trials:,} of {total:,} trials")


def buttons(summary: Summary, *, mine: bool) -> None:
    """What a reader can do with an experiment, and below what they have opened. mine: whether they may change it."""
    verbs = list(VERBS.get(summary.status, ("resume",))) if mine else []
    if mine and summary.queue.requested is not None:
        # What it was asked for is withdrawn.
        verbs.insert(0, "resume")
    panels = ["notes", "duplicate"] if mine else ["duplicate"]
    if mine and summary.status in HAVE_PRIORITY:
        panels.insert(0, "priority")
    if mine and summary.status is not Status.RUNNING:
        panels.append("delete")
    with st.container(horizontal=True):
        for verb in verbs:
            _button(summary, verb, partial(acting.act, partial(_changed, summary.name, verb)))
        for about in panels:
            _button(summary, about, partial(_toggle, (summary.name, summary.created_at, about)))
    opened: Panel | None = st.session_state.get("opened in queue")
    if opened is not None and opened[:2] == (summary.name, summary.created_at) and opened[2] in panels:
        with errors_shown():
            PANELS[opened[2]](summary)


def _button(summary: Summary, verb: str, do: "partial[None]") -> None:
    label, icon = verb.capitalize(), f":material/{ICONS[verb]}:"
    # Not by its place: what is clicked while the list changes is what was read.
    st.button(label, icon=icon, type="tertiary", key=f"{verb} {summary.name}", on_click=do)


def _toggle(panel: Panel | None) -> None:
    """Open what a reader asks for, or close it. It is kept in the session, so that no update of the list closes it."""
    st.session_state["opened in queue"] = None if st.session_state.get("opened in queue") == panel else panel


def _notes(summary: Summary) -> None:
    editor(summary, key=f"{summary.name} {summary.created_at}")


def _priority(summary: Summary) -> None:
    key = f"new priority {summary.name}"

    def prioritized(service: Service, who: Principal) -> str:
        # As it is now: what was typed last comes together with the click.
        priority = int(st.session_state[key])
        actions.prioritize(service, who, summary.name, priority)
        return f"{summary.name} has the priority {priority:,}"

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "New priority: higher ones run first",
            value=summary.terms.priority,
            min_value=-MOST_PRIORITY,
            max_value=MOST_PRIORITY,
            step=1,
            key=key,
            width=260,
        )
        _answer("Set priority", summary, "priority", prioritized)


def _duplicate(summary: Summary) -> None:
    """The command that begins the same under a new name, for its reader to change."""
    taken = {each.name for each in data.summaries()}
    record = data.result(summary).record
    same = reproduction(replace(record, name=first_free(summary.name, taken)))
    st.caption("To run this experiment under a new name, with any changes, in a terminal:")
    if same.spec_file:
        st.caption("Save this as `spec.toml`:")
        st.code(same.spec_file, language="toml")
    if same.python:
        st.code(same.python, language="python")
    st.code("\n".join(same.commands), language="bash", wrap_lines=True)
    st.caption(
        "`--db` names a ledger other than the default one, `--server` a server. To queue it, use "
        "`cooldown submit` instead of `cooldown compare`."
    )
    st.button("Close", key=f"close {summary.name}", on_click=_toggle, args=(None,))


def _delete(summary: Summary) -> None:
    st.warning(f"Delete {plain(summary.name)} with all its trials? This cannot be undone.", icon=":material/warning:")
    with st.container(horizontal=True):
        _answer("Delete it", summary, "delete", partial(_deleted, summary.name))
        st.button("Keep it", key=f"keep {summary.name}", on_click=_toggle, args=(None,))


PANELS: Mapping[str, Callable[[Summary], None]] = {
    "priority": _priority,
    "notes": _notes,
    "duplicate": _duplicate,
    "delete": _delete,
}
"""What a reader may open below the buttons."""


def _answer(label: str, summary: Summary, about: str, action: acting.Action) -> None:
    """The button that does what was asked for."""

    def do() -> None:
        _toggle(None)
        acting.act(action)

    st.button(label, type="primary", key=f"do {about} {summary.name}", on_click=do)


def _changed(name: str, verb: str, service: Service, who: Principal) -> str:
    status = actions.resume(service, who, name) if verb == "resume" else actions.control(service, who, name, verb)
    if status is Status.RUNNING and verb != "resume":
        return f"{name} is running: {WILL[Change(verb)]}"
    return f"{name} is {status.value}"


def _deleted(name: str, service: Service, who: Principal) -> str:
    actions.delete(service, who, name)
    if st.query_params.get("experiment") == name:
        # The pages would go on to say that it does not exist.
        del st.query_params["experiment"]
    return f"{name} was deleted"
