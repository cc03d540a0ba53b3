"""A playground: which asynchronous worker computes, reads and writes when, for chosen settings of a method."""

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.parts import chart, errors_shown, notes, plain
from cooldown.dashboard.settings import settings
from cooldown.objectives import asynchronous
from cooldown.search.figures.asynchronous import TIMELINES_CAPTION, timelines, timelines_table

PAGE = {"title": "Workers", "icon": "view_timeline", "section": "Playgrounds", "place": 90}

MOST_WORKERS = 16
"""More rows in one chart cannot be told apart."""


def _workers() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = addressed.choice(st.selectbox, "Method", asynchronous.names(), "method", "hogwild", width=220)
        updates = addressed.number("Gradients", "gradients", 40, 1, 400, integer=True, width=160)
    method = asynchronous.get(name)
    st.caption(plain(method.formula))
    complete = method.complete(settings(name, method.hyperparameters, columns=4, workers=MOST_WORKERS))
    planned = {name: method.plan(complete, updates, seed=0)}
    chart(
        timelines(planned),
        "workers",
        reading=f"{TIMELINES_CAPTION} Mean staleness: {planned[name].staleness.mean():.3g} updates. An experiment's "
        "learning curves can be shown against simulated time.",
        table=lambda: timelines_table(planned),
    )


st.title("Workers")
with errors_shown(), notes():
    _workers()
