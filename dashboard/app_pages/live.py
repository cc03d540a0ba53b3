"""A run as it goes: who leads, how far each arm is, what is left, what happened, and what to do when it is done.

The page only looks: the experiment runs in a worker, whoever watches.
"""

from dataclasses import replace
from functools import partial

import streamlit as st

from cooldown.dashboard import acting, data
from cooldown.dashboard.following import last_events
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import BROWSER_FORMATS, about_experiment, plain, rows
from cooldown.dashboard.queue_cards import buttons
from cooldown.search.evidence.answer import NextStep
from cooldown.search.evidence.further import further_steps, in_words
from cooldown.search.evidence.numbers import Form, counted, duration
from cooldown.search.evidence.progress import DONE, progress_table, seconds_left
from cooldown.search.evidence.status import WILL, place
from cooldown.search.evidence.table import Table
from cooldown.search.evidence.view import View
from cooldown.search.experiments.queueing import in_order
from cooldown.search.experiments.result import Result
from cooldown.search.service import actions
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.service import Service
from cooldown.storage import Status, Summary

PAGE = {"title": "Live", "icon": "monitoring", "section": "This experiment", "place": 18}


def _live(result: Result) -> None:
    summary = data.summary(result.name)
    if summary is None:
        return
    who = acting.who()
    mine = who is not None and who.owns(summary.terms.owner)
    acting.show_outcome()
    found = result.answer
    st.caption(plain(found.question))
    st.header(plain(found.sentence), anchor=False)
    if found.why:
        st.caption(plain(found.why))
    st.caption(" ".join(_when(summary, result.view)))
    if acting.offers():
        buttons(summary, mine=mine)
    if not summary.status.under_way:
        _further(summary, result.view, mine=mine)
    st.header("Arms", anchor=False)
    table = progress_table(result.view)
    share = st.column_config.ProgressColumn(
        DONE, min_value=0, max_value=100, format=BROWSER_FORMATS[Form.SHARE], width=110
    )
    rows(_in_percent(table), key="progress", alt=table.reading, column_config={DONE: share})
    st.caption(plain(table.reading))
    st.header("Events", anchor=False)
    st.text("\n".join(last_events(summary)) or "Nothing has happened yet.")


def _in_percent(table: Table) -> Table:
    """The table with the shares that are done in percent: the browser's own format of a share has no space in it."""
    place = table.titles.index(DONE)
    columns = [replace(column, form=Form.COUNT) if at == place else column for at, column in enumerate(table.columns)]
    rows = [(*row[:place], 100 * row[place], *row[place + 1 :]) for row in table.rows]
    return replace(table, columns=tuple(columns), rows=rows)


def _when(summary: Summary, view: View) -> list[str]:
    """When something happens, as sentences."""
    told = []
    if summary.status is Status.QUEUED:
        position = place(summary, in_order(data.summaries()))
        told.append(f"It waits for a worker{'' if position is None else f', in place {position:,}'}.")
    if summary.status is Status.OPEN:
        told.append("Your training loops ask for its runs and report the results.")
    left = seconds_left(view) if summary.status is Status.RUNNING else None
    if left:
        told.append(f"About {duration(left)} left for {counted(view.spec.repeats, 'repeat')} of every arm.")
    if summary.status.under_way and view.spec.looks:
        told.append(f"While the question is open, it goes on to at most {view.spec.looks[-1]} repeats.")
    if summary.queue.requested is not None:
        told.append(f"Requested: {WILL[summary.queue.requested]}.")
    if summary.status.under_way:
        told.append("You can close this page: the experiment goes on.")
    return told


def _further(summary: Summary, view: View, *, mine: bool) -> None:
    """What can be done next, each with its price: as buttons, or for somebody who only reads as commands."""
    st.header("What next", anchor=False)
    here = address(summary.name)
    with st.container(horizontal=True):
        st.page_link(page("verdict"), label="Read the answer", icon=":material/gavel:", query_params=here)
        st.page_link(page("export"), label="Export the model", icon=":material/download:", query_params=here)
    for step in further_steps(view):
        price = f" (about {duration(step.seconds)})" if step.seconds else ""
        if mine:
            label = f"{in_words(step)}{price}"
            do = partial(acting.act, partial(_resumed, summary.name, step))
            st.button(label, key=f"{in_words(step)} {summary.name}", icon=":material/play_arrow:", on_click=do)
        else:
            st.caption(plain(f"{step.purpose}{price}:"))
            st.code(step.command, language="bash", wrap_lines=True)


def _resumed(name: str, step: NextStep, service: Service, who: Principal) -> str:
    status = actions.resume(service, who, name, **(step.changes or {}))
    return f"{name} is {status.value}"


st.title("Live")
about_experiment(_live, always=True)
