"""All experiments of the ledger, updated live; a row leads to the answer."""

import itertools
from collections.abc import Sequence
from typing import Any

import streamlit as st

from cooldown.dashboard import data, filters
from cooldown.dashboard.filters import Filter
from cooldown.dashboard.linked_rows import Heading, LinkedRow, linked_rows, order
from cooldown.dashboard.pages import address
from cooldown.dashboard.parts import errors_shown, no_experiments, notes
from cooldown.objectives.plain_text import visible
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.standing import lines
from cooldown.search.figures.layout import ABOVE, WITHOUT_LEGEND, chart
from cooldown.storage import Status, Summary

PAGE = {"title": "Experiments", "icon": "list", "section": "", "place": 10}

AFTER = 1.5
"""Seconds after the list until the chart library is preloaded."""

COLUMNS = (
    Heading("Experiment"),
    Heading("Task"),
    Heading(
        "Leader",
        help="Of the pair of arms that answers the question: the one with the lower test loss, and by how much",
    ),
    Heading("Alarms", "number", help="Reasons to distrust the answer; – if not known"),
    Heading("Took", "number", help="From the start to the end, breaks included"),
    Heading("Status"),
    Heading("Trials", "progress"),
    Heading("Started", "time"),
    Heading("Arms", "number"),
    Heading("Repeats", "number"),
)
TITLES = [column.title for column in COLUMNS]

Cells = list[Any]
"""The values of a row, in the order of the columns."""


def _rows(summaries: Sequence[Summary], wanted: Filter) -> list[Cells]:
    """A row per experiment that is wanted, newest first; damaged ones last."""
    listed, damaged = lines([summary for summary in summaries if wanted(summary)], data.winners(), data.leaders())
    rows: list[Cells] = [
        [
            line.name,
            line.task,
            line.leader,
            formatted(line.alarms, Form.COUNT),
            line.took,
            line.status,
            min(line.trials / line.total, 1.0),
            line.created_at,
            line.arms,
            line.repeats,
        ]
        for line in listed
    ]
    unknown = [None] * (len(COLUMNS) - 6)
    rows += [
        [error.experiment, None, error.reason, None, None, "damaged", *unknown]
        for error in (*damaged, *data.unreadable())
    ]
    return rows


def _under_way(rows: list[Cells]) -> bool:
    """Whether any of these experiments goes on by itself."""
    place, under_way = TITLES.index("Status"), {status.value for status in Status if status.under_way}
    return any(row[place] in under_way for row in rows)


def _list(rows: list[Cells], *, any_at_all: bool) -> None:
    if not rows:
        if any_at_all:
            st.info("No experiments match.")
        else:
            no_experiments()
        return
    by = order(TITLES)
    if by:
        rows = [rows[place] for place in by.places([row[TITLES.index(by.title)] for row in rows])]
    linked_rows(
        COLUMNS,
        [LinkedRow([_cell(value) for value in row], address(row[0])) for row in rows],
        "verdict",
        key="experiments",
        label="All experiments with task, leader, duration, status and progress",
        by=by,
    )


def _cell(value: Any) -> Any:
    """Numbers of arms and repeats as texts; times and shares are set by the browser."""
    return visible(value) if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else value


def _charts_ahead() -> None:
    """An empty chart, so that the browser loads the chart library, which takes a second, while the reader looks at the
    list. It comes after the list, which it would delay.
    """
    now, looks = "charts ahead" in st.session_state, itertools.count()

    @st.fragment(run_every=None if now else AFTER)
    def ahead() -> None:
        if now:
            hidden = {"visible": False}
            nothing = chart([], ABOVE + WITHOUT_LEGEND, legend=False, xaxis=hidden, yaxis=hidden)
            with st.container(height=1, border=False):
                st.plotly_chart(nothing, key="nothing", config={"staticPlot": True})
        elif next(looks):
            st.session_state["charts ahead"] = True
            st.rerun()

    ahead()


st.title("Experiments")
with errors_shown(), notes():
    found = data.summaries()
    choices = filters.choices(found)
    wanted = filters.chosen(choices) if found else Filter()
    first = _rows(found, wanted)
    running = _under_way(first)
    looks = itertools.count()

    @st.fragment(run_every=data.LIVE if running else None)
    def experiments() -> None:
        """The list, updated while an experiment is running or waits for a worker."""
        with errors_shown(), notes():
            again = next(looks) > 0
            now = data.summaries() if again else found
            rows = _rows(now, wanted) if again else first
            _list(rows, any_at_all=bool(now))
            if running and (not _under_way(rows) or filters.choices(now) != choices):
                # It is not updated any more, or there is more to choose from.
                st.rerun()

    experiments()
    _charts_ahead()
