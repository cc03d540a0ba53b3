"""A chart of trials in which a reader can mark an area, which chooses the trials in it, or click one, which opens it.

What is marked is kept in the address as ranges of what the axes show (`between=adam.learning_rate:0.001:0.01`), so that
it holds for all charts and the table, and for trials that are still to come.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import plain, rows
from cooldown.search.evidence.table import Table

if TYPE_CHECKING:
    import plotly.graph_objects as go

Ranges = Mapping[str, tuple[float, float]]
"""Lowest and highest value, by what they are of."""

DIGITS = 6
"""Significant digits of the ends of a range."""


@dataclass(frozen=True)
class Axis:
    """What an axis of a chart shows, by the name that it has in a `Selection`; natural: its values from the chart's."""

    name: str
    natural: Callable[[float], float] = float


def ranges(names: Sequence[str]) -> Ranges:
    """The ranges that the address asks for, of what is called by these names."""

    def parsed(said: Sequence[str]) -> Ranges:
        found = {}
        for text in said:
            # The name of an entry from outside has colons.
            name, low, high = text.rsplit(":", 2)
            ends = float(low), float(high)
            if name not in names or not all(map(isfinite, ends)):
                raise ValueError
            found[name] = ends
        return found

    none: Ranges = {}
    return addressed.read("between", parsed, none)


def keep(between: Ranges) -> None:
    """Put these ranges into the address."""
    addressed.write("between", [f"{name}:{low:.{DIGITS}g}:{high:.{DIGITS}g}" for name, (low, high) in between.items()])


def brushed(
    figure: "go.Figure",
    key: str,
    axes: tuple[Axis, Axis],
    between: Ranges,
    trial_of: Callable[[Sequence[Any]], Mapping[str, Any]],
    experiment: str,
    *,
    reading: str,
    table: Callable[[], Table],
) -> None:
    """Show the chart. axes: its horizontal and vertical one. between: the ranges so far, to which those of an area that
    is marked are added. trial_of: what an address says of the trial with these custom data.
    """

    def mark() -> None:
        boxes = st.session_state[key]["selection"]["box"]
        if boxes:
            ends = ((axis, boxes[-1][at]) for axis, at in zip(axes, ("x", "y"), strict=True))
            natural = {axis.name: sorted(axis.natural(end) for end in both) for axis, both in ends}
            keep({**between, **{name: (low, high) for name, (low, high) in natural.items()}})

    figure.update_layout(dragmode="select")
    chosen = st.plotly_chart(
        figure,
        key=key,
        alt=reading,
        config={"displaylogo": False},
        on_select=mark,
        selection_mode=("points", "box"),
    )
    selection = chosen["selection"]
    if len(selection["points"]) == 1 and not selection["box"]:
        st.switch_page(
            page("trial"), query_params=address(experiment, **trial_of(selection["points"][0]["customdata"]))
        )
    st.caption(plain(f"{reading} Drag over trials to select them; click one to open it."))
    with st.expander("The numbers", key=f"{key} opened", on_change="rerun") as numbers:
        if numbers.open:
            rows(table(), key=f"{key} numbers", alt=reading)
