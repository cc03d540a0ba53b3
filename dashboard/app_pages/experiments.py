"""All experiments of the ledger, live; choosing one opens its verdict."""

import time

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.pages import page
from dashboard.parts import complain, no_experiments
from storage import Status

PATIENCE = 0.3
"""Seconds of a look at the list that may go into verdicts that are not known yet."""

COLUMNS = {
    "name": st.column_config.TextColumn("Experiment"),
    "task": st.column_config.TextColumn("Task"),
    "verdict": st.column_config.TextColumn("Verdict", help="Of the pair of arms that answers the question"),
    "status": st.column_config.TextColumn("Status", width="small"),
    "progress": st.column_config.ProgressColumn("Trials", min_value=0, max_value=1, format="percent"),
    "started": st.column_config.DatetimeColumn("Started", format="distance", width="small"),
    "arms": st.column_config.NumberColumn("Arms", width="small"),
    "repeats": st.column_config.NumberColumn("Repeats", width="small"),
}


def _rows() -> pd.DataFrame:
    """A row per experiment; verdicts that are not known yet are None, as many as there was no time for."""
    end = time.monotonic() + PATIENCE
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


def _unsettled(rows: pd.DataFrame) -> bool:
    return bool((rows.status == Status.RUNNING.value).any() or rows.verdict.isna().any())


def _list(live: bool) -> None:
    rows = _rows()
    if live and not _unsettled(rows):
        # The last change is shown by a list that looks no more.
        st.rerun()
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
        alt="All experiments, newest first, with their tasks, verdicts, states and progress",
    )
    st.caption("Choose a row to open its verdict.")
    if chosen["selection"]["rows"]:
        name = rows.name.iloc[chosen["selection"]["rows"][0]]
        st.switch_page(page("verdict"), query_params={"experiment": name})


st.title("Experiments")
with complain():
    live = _unsettled(_rows())

    @st.fragment(run_every=data.LIVE if live else None)
    def experiments() -> None:
        """The list, again and again while something runs."""
        with complain():
            _list(live)

    experiments()
