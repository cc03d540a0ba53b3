"""A playground: which asynchronous worker computes, reads and writes when, for chosen settings of a method."""

from typing import Any

import streamlit as st

from cooldown.dashboard.parts import chart, errors_shown, plain
from cooldown.objectives import asynchronous
from cooldown.objectives.hyperparameters import Hyperparameter
from cooldown.search.figures.asynchronous import TIMELINES_CAPTION, timelines, timelines_table

PAGE = {"title": "Workers", "icon": "view_timeline", "section": "Playgrounds", "place": 90}

MOST_WORKERS = 16
"""More rows in one chart cannot be told apart."""


def _settings(method: asynchronous.Asynchronous) -> dict[str, Any]:
    """The method's settings as the reader sets them."""
    values: dict[str, Any] = {}
    columns = st.columns(4)
    for place, declared in enumerate(method.hyperparameters):
        key = f"{method.name}.{declared.name}"
        with columns[place % len(columns)]:
            if not isinstance(declared, Hyperparameter):
                values[declared.name] = st.selectbox(declared.name, declared.choices, key=key, help=declared.meaning)
                continue
            kind = int if declared.integer else float
            values[declared.name] = st.number_input(
                declared.name,
                value=None if declared.default is None else kind(declared.default),
                min_value=kind(declared.minimum),
                max_value=MOST_WORKERS if declared.name == "workers" else None,
                help=declared.meaning,
                key=key,
            )
    return values


def _workers() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Method", asynchronous.names(), index=asynchronous.names().index("hogwild"), width=220)
        updates = int(st.number_input("Gradients", value=40, min_value=1, max_value=400, width=160))
    method = asynchronous.get(name)
    st.caption(plain(method.formula))
    settings = method.complete(_settings(method))
    planned = {name: method.plan(settings, updates, seed=0)}
    chart(
        timelines(planned),
        "workers",
        reading=f"{TIMELINES_CAPTION} Mean staleness: {planned[name].staleness.mean():.3g} updates. An experiment's "
        "learning curves can be shown against simulated time.",
        table=lambda: timelines_table(planned),
    )


st.title("Workers")
with errors_shown():
    _workers()
