"""Common parts of an experiment's charts: margins for legend and labels, greys, and axes.

A chart sets neither its background nor its text colour: these are the page's, light or dark. It has no title, because
the page has headings.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from cooldown.search.evidence.numbers import SMALL

GREY = "#808080"
"""Of points that favour neither side, and of legend entries that apply to several colours."""

HELPER = "rgba(128, 128, 128, 0.7)"
"""Of reference lines."""

BAND = "rgba(128, 128, 128, 0.22)"
"""Of areas behind the data."""

WIDE = 30.0
"""The ratio of the largest loss to the smallest above which an axis is logarithmic."""

ABOVE, LEGEND = 32, 96
"""Pixels of the margin above the axes, where plotly's buttons are, and of the margin below them, for the axis's labels
and title and the legend.
"""

WITHOUT_LEGEND = 56

MOST_OF_LEGEND = 0.6
"""Of a figure's height, before the legend scrolls."""

STANDOFF = 10
"""Pixels between an axis's labels and its title."""


def chart(traces: Sequence[Any], height: int, *, legend: bool = True, **layout: Any) -> go.Figure:
    """A figure of `traces`, `height` pixels high. The legend is at the bottom, below the axes, which make room for it:
    on a phone each of its entries has a line.
    """
    below = LEGEND if legend else WITHOUT_LEGEND
    return go.Figure(
        list(traces),
        layout={
            "height": height,
            "margin": {"t": ABOVE, "b": below, "l": 8, "r": 16},
            "showlegend": legend,
            "legend": {
                **{"orientation": "h", "xanchor": "left", "x": 0},
                **{"yref": "container", "yanchor": "bottom", "y": 0, "maxheight": MOST_OF_LEGEND},
            },
            **layout,
        },
    )


def axis(title: str, *, log: bool = False, **more: Any) -> dict[str, Any]:
    """An axis with a title; on a logarithmic scale with few ticks, as plain numbers, so that they do not overlap."""
    scale = {"type": "log", "tickformat": ",~g", "nticks": 3} if log else {"separatethousands": True}
    return {"title": {"text": title, "standoff": STANDOFF}, "automargin": True, **scale, **more}


def share_axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis of percent: of values from 0 to 100."""
    return axis(title, ticksuffix="\N{NO-BREAK SPACE}%", **more)


def hovered(losses: ArrayLike) -> str:
    """The format of losses in hover texts, for the browser: four decimals, as in tables, or three digits where one of
    them is so small that these would leave nothing of it.
    """
    sizes = np.abs(np.asarray(losses, np.float64))
    return ".3g" if ((sizes > 0) & (sizes < SMALL)).any() else ",.4f"


def zero_line() -> dict[str, Any]:
    """Options of an axis that marks zero."""
    return {"zeroline": True, "zerolinecolor": HELPER, "zerolinewidth": 1.5}


def rows(labels: Sequence[str], **more: Any) -> dict[str, Any]:
    """A vertical axis whose rows 0, 1, … have these labels, the first one at the top. They need no title."""
    return {
        **axis(""),
        "tickmode": "array",
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "range": [len(labels) - 0.5, -0.5],
        "zeroline": False,
        "showgrid": False,
        **more,
    }


def vertical(x: float, **line: Any) -> dict[str, Any]:
    """The shape of a line from the bottom of the axes to their top."""
    return {
        "type": "line",
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "yref": "y domain",
        "line": {"color": HELPER, "width": 1.5, **line},
    }


def horizontal(y: float, **line: Any) -> dict[str, Any]:
    """The shape of a line from the left end of the axes to the right one."""
    return {
        "type": "line",
        "x0": 0,
        "x1": 1,
        "xref": "x domain",
        "y0": y,
        "y1": y,
        "line": {"color": HELPER, "width": 1.5, **line},
    }


def wide(values: NDArray[np.float64]) -> bool:
    """Whether `values` (n,) need a logarithmic axis, and are all above 0."""
    known = values[np.isfinite(values)]
    return bool(known.size and known.min() > 0 and known.max() > WIDE * known.min())


def explained(name: str, **look: Any) -> go.Scatter:
    """A trace without points that adds an entry to the legend."""
    return go.Scatter(x=[None], y=[None], name=name, hoverinfo="skip", **look)


def area(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], **look: Any) -> list[go.Scatter]:
    """The area between two curves (n,): one trace for each stretch where both are known."""
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    return [
        go.Scatter(
            x=np.concatenate([x[part], x[part][::-1]]),
            y=np.concatenate([high[part], low[part][::-1]]),
            mode="lines",
            line={"width": 0},
            fill="toself",
            showlegend=False,
            hoverinfo="skip",
            **look,
        )
        for part in _stretches(known)
    ]


def _stretches(known: NDArray[np.bool_]) -> Iterable[slice]:
    """The runs of at least two consecutive true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]])))
    return [slice(first, end) for first, end in edges.reshape(-1, 2).tolist() if end - first > 1]
