"""All experiments of the ledger, updated live; selecting one opens its answer."""

import itertools
from typing import Any

import pandas as pd
import streamlit as st

from cooldown.dashboard import data
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import errors_shown, no_experiments
from cooldown.search.evidence.standing import lines
from cooldown.search.figures.layout import ABOVE, WITHOUT_LEGEND, chart
from cooldown.storage import Status

PAGE = {"title": "Experiments", "icon": "list", "section": "", "place": 10}

AFTER = 1.5
"""Seconds after the list until the chart library is preloaded."""

COLUMNS = {
    "name": st.column_config.TextColumn("Experiment", width=120),
    "task": st.column_config.TextColumn("Task", width=80),
    "leader": st.column_config.TextColumn(
        "Leader",
        width=180,
        help="Of the pair of arms that answers the question: the one with the lower test loss, and by how much",
    ),
    "took": st.column_config.TextColumn("Took", width=90, help="From the start to the end, breaks included"),
    "status": st.column_config.TextColumn("Status", width=90),
    "progress": st.column_config.ProgressColumn("Trials", min_value=0, max_value=1, format="percent", width=100),
    "started": st.column_config.DatetimeColumn("Started", format="distance", width=120),
    "arms": st.column_config.NumberColumn("Arms", width=50),
    "repeats": st.column_config.NumberColumn("Repeats", width=65),
}


def _rows() -> pd.DataFrame:
    """A row per experiment."""
    listed, damaged = lines(data.summaries(), data.winners(), data.leaders())
    rows: list[dict[str, Any]] = [
        {
            "name": line.name,
            "task": line.task,
            "leader": line.leader,
            "took": line.took,
            "status": line.status,
            "progress": min(line.trials / line.total, 1.0),
            "arms": line.arms,
            "repeats": line.repeats,
            "started": pd.Timestamp(line.created_at, unit="s", tz="UTC"),
        }
        for line in listed
    ]
    rows += [
        {"name": error.experiment, "leader": error.reason, "status": "damaged"}
        for error in (*damaged, *data.unreadable())
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _under_way(rows: pd.DataFrame) -> bool:
    """Whether any of these experiments goes on by itself."""
    return bool(rows.status.isin([status.value for status in Status if status.under_way]).any())


def _list(rows: pd.DataFrame) -> None:
    if rows.empty:
        no_experiments()
        return
    chosen = st.dataframe(
        rows,
        column_config=COLUMNS,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="experiments",
        placeholder="–",
        alt="All experiments, newest first, with task, leader, duration, status and progress",
    )
    st.caption("Select a row to open its answer.")
    if chosen["selection"]["rows"]:
        name = str(rows.name.iloc[chosen["selection"]["rows"][0]])
        st.switch_page(page("verdict"), query_params=address(name))


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
with errors_shown():
    first = _rows()
    running = _under_way(first)
    looks = itertools.count()

    @st.fragment(run_every=data.LIVE if running else None)
    def experiments() -> None:
        """The list, updated while an experiment is running or waits for a worker."""
        with errors_shown():
            rows = _rows() if next(looks) else first
            _list(rows)
            if running and not _under_way(rows):
                # From here on it is not updated.
                st.rerun()

    experiments()
    _charts_ahead()
