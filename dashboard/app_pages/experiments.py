"""All experiments of the ledger, live; choosing one opens its verdict."""

import itertools
import time

import pandas as pd
import streamlit as st

from cooldown.dashboard import data
from cooldown.dashboard.pages import page
from cooldown.dashboard.parts import complain, no_experiments
from cooldown.search.figures.layout import ABOVE, WITHOUT_LEGEND, chart
from cooldown.storage import Status

PAGE = {"title": "Experiments", "icon": "list", "section": "", "place": 10}

PATIENCE = 0.3
"""Seconds of a look at the list that may go into verdicts that are not known yet."""

AFTER = 1.5
"""Seconds from the list to what is loaded ahead."""

COLUMNS = {
    "name": st.column_config.TextColumn("Experiment", width=120),
    "task": st.column_config.TextColumn("Task", width=80),
    "verdict": st.column_config.TextColumn("Verdict", width=145, help="Of the pair of arms that answers the question"),
    "status": st.column_config.TextColumn("Status", width=90),
    "progress": st.column_config.ProgressColumn("Trials", min_value=0, max_value=1, format="percent", width=100),
    "started": st.column_config.DatetimeColumn("Started", format="distance", width=120),
    "arms": st.column_config.NumberColumn("Arms", width=50),
    "repeats": st.column_config.NumberColumn("Repeats", width=65),
}


def _rows(patience: float) -> pd.DataFrame:
    """A row per experiment; verdicts that are not known yet are None, but for those found out in so many seconds."""
    end = time.monotonic() + patience
    rows = []
    for each in data.summaries():
        spec = each.spec
        total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
        rows.append(
            {
                "name": each.name,
                "task": spec["task"],
                "verdict": data.verdict(each, now=time.monotonic() < end),
                "status": each.status.value,
                "progress": min(each.trials / total, 1.0),
                "arms": len(spec["arms"]),
                "repeats": spec["repeats"],
                "started": pd.Timestamp(each.created_at, unit="s", tz="UTC"),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


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
        placeholder="…",
        alt="All experiments, newest first, with their tasks, verdicts, states and progress",
    )
    st.caption("Choose a row to open its verdict.")
    if chosen["selection"]["rows"]:
        # The choice can only be changed where its widget has not been made yet: at the start of the next run.
        st.session_state["opened"] = rows.name.iloc[chosen["selection"]["rows"][0]]
        st.switch_page(page("verdict"))


def _charts_ahead() -> None:
    """An empty chart: a browser takes a second to load what draws charts, and does so while the reader looks at the
    list. It comes after that, which it would hold up.
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
with complain():
    # What is known is shown at once; the rest is found out while the reader looks at it.
    first = _rows(0.0)
    missing, running = bool(first.verdict.isna().any()), bool((first.status == Status.RUNNING.value).any())
    looks = itertools.count()

    @st.fragment(run_every=0.5 if missing else data.LIVE if running else None)
    def experiments() -> None:
        """The list, again and again while something is missing or runs."""
        with complain():
            rows = _rows(PATIENCE) if next(looks) else first
            _list(rows)
            if missing and not rows.verdict.isna().any():
                # At another pace from here on, or no more.
                st.rerun()
            if running and not (rows.status == Status.RUNNING.value).any():
                st.rerun()

    experiments()
    _charts_ahead()
