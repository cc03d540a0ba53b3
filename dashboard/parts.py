"""What pages are made of: a chart with its words and its numbers, the experiment they are about, errors in words."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard import data
from objectives.errors import InputError
from search.results import Result
from storage import Status

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

BADGES: dict[Status, tuple[str, str, Literal["blue", "green", "orange", "red"]]] = {
    Status.RUNNING: ("running", ":material/play_circle:", "blue"),
    Status.DONE: ("done", ":material/check_circle:", "green"),
    Status.INTERRUPTED: ("interrupted", ":material/pause_circle:", "orange"),
    Status.FAILED: ("failed", ":material/error:", "red"),
}


@contextmanager
def complain() -> Iterator[None]:
    """Tell what went wrong in words: a reader has no use for a stack trace, which goes to the log."""
    try:
        yield
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            "This page could not be shown. What went wrong stands where the dashboard was started.",
            icon=":material/error:",
        )


def plain(text: str) -> str:
    """Text from a ledger as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!$:<>|~&])", r"\\\1", text)


def chart(figure: "go.Figure", name: str, *, reading: str, table: "pandas.DataFrame") -> None:
    """A figure with a sentence on how to read it, and its numbers in a table. name: unique on its page."""
    st.plotly_chart(figure, key=name, alt=reading, config={"displaylogo": False})
    st.caption(reading)
    with st.expander("The numbers"):
        st.dataframe(table, hide_index=True, key=f"{name} numbers", alt=reading)


def about_experiment(body: Callable[[Result], None]) -> None:
    """Show `body` of the chosen experiment, again every other second while it runs; without one, what to type."""
    name = st.session_state.get("experiment")
    missing, instead = st.session_state.get("not there", (None, None))
    if missing is not None and instead == name:
        st.warning(f"There is no experiment called {plain(missing)} in this ledger; this is another one.")
    chosen = None if name is None else data.summary(name)
    if chosen is None:
        no_experiments()
        return
    running = chosen.status is Status.RUNNING

    @st.fragment(run_every=data.LIVE if running else None)
    def part() -> None:
        with complain():
            now = data.summary(chosen.name)
            if now is None:
                st.info("This experiment has been deleted.")
                return
            if running and now.status is not Status.RUNNING:
                st.rerun()
            found = data.result(now)
            _head(found, now.trials)
            body(found)

    part()


def no_experiments() -> None:
    """What a reader sees first, and what to do about it."""
    st.info("There are no experiments in this ledger yet. Start one in a terminal, and it appears here:")
    st.code("cooldown compare digits", language="bash")
    st.caption(f"The ledger is {plain(data.where())}.")


def _head(found: Result, trials: int) -> None:
    spec = found.record.spec
    total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
    label, icon, colour = BADGES[found.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=colour)
        st.caption(
            f"{plain(found.name)} · task {plain(spec['task'])} · {len(spec['arms'])} arms · {spec['repeats']} repeats"
            f" · {spec['trials']} trials a study"
        )
    if found.status is not Status.DONE:
        st.progress(min(trials / total, 1.0), text=f"{trials:,} of {total:,} trials")
    if found.status in (Status.INTERRUPTED, Status.FAILED):
        st.caption(f"Go on in a terminal with `cooldown resume {plain(found.name)}`.")
    if found.record.message:
        st.error(f"The last run failed: {plain(found.record.message)}")
