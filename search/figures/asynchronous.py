"""Asynchronous workers: who computes, reads and writes when; and loss against simulated time by number of workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives import asynchronous
from cooldown.objectives.asynchronous import Events
from cooldown.search.evidence.numbers import Form, counted
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.layout import GREY, axis, chart, rows
from cooldown.search.figures.schedules import COLOURS

ROW, LOSS_HEIGHT = 26, 420
"""Pixels: of one worker's row, and of the chart of losses."""

GAP = 0.12
"""In simulated time, between two bars."""

TIME = "Simulated time<br>(a mean gradient = 1)"

COMPUTES, READS, WRITES = COLOURS[:3]

TIMELINES_CAPTION = (
    "A bar is one gradient from its beginning to its end, a thin line what is on its way to the common parameters. A "
    "circle is where a worker reads these, a triangle where it writes to them."
)
LOSSES_CAPTION = (
    "Loss on held-out rows after each epoch. All runs compute the same number of gradients; the more workers, the less "
    "time that takes, and the staler the gradients are."
)


@dataclass(frozen=True, eq=False)
class Timed:
    """The held-out loss (epochs,) of a run at simulated times (epochs,)."""

    time: NDArray[np.float64]
    loss: NDArray[np.float64]


class Points(NamedTuple):
    """The points of a trace."""

    x: list[float]
    y: list[float]


def reads_and_writes(method: str, events: Events) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(T,) when each gradient's worker reads the common parameters for it, and when it writes them; NaN where not."""
    entry = asynchronous.get(method)
    if not entry.has_copies:
        return events.begun, events.time
    writes = np.where(events.joins, events.time, np.nan)
    if entry.exchange_every:
        return writes, writes
    # What is fetched arrives with the beginning of the worker's next gradient; all begin with the common parameters.
    reads = np.full(len(events.time), np.nan)
    for worker in np.unique(events.worker):
        own = np.flatnonzero(events.worker == worker)
        fetched = np.concatenate([[True], events.fetches[own[:-1]]])
        reads[own[fetched]] = events.begun[own[fetched]]
    return reads, writes


def timelines(planned: Mapping[str, Events]) -> go.Figure:
    """A row for each worker of each method. planned: the events by the method's name."""
    labels: list[str] = []
    bars, ways, read, written = (Points([], []) for _ in range(4))
    for method, events in planned.items():
        reads, writes = reads_and_writes(method, events)
        first = len(labels)
        workers = int(events.worker.max()) + 1
        labels += [f"{method} {worker + 1}" for worker in range(workers)]
        own = first + events.worker
        # A little shorter, so that two are seen to be two.
        _segments(bars, events.begun, np.maximum(events.computed - GAP, events.begun), own)
        _segments(ways, events.computed, events.time, own)
        for points, at in ((read, reads), (written, writes)):
            points.x.extend(at.tolist())
            points.y.extend(own.tolist())
    traces = [
        go.Scatter(
            x=bars.x, y=bars.y, mode="lines", line={"color": COMPUTES, "width": 7}, opacity=0.55, name="computes",
            hovertemplate="%{x:.3g}<extra>computes</extra>",
        ),
        go.Scatter(
            x=ways.x, y=ways.y, mode="lines", line={"color": GREY, "width": 2, "dash": "dot"}, name="on its way",
            hoverinfo="skip", showlegend=False,
        ),
        go.Scatter(
            x=read.x, y=read.y, mode="markers", marker={"color": READS, "symbol": "circle-open", "size": 9},
            name="reads", hovertemplate="reads at %{x:.3g}<extra></extra>",
        ),
        go.Scatter(
            x=written.x, y=written.y, mode="markers", marker={"color": WRITES, "symbol": "triangle-up", "size": 8},
            name="writes", hovertemplate="writes at %{x:.3g}<extra></extra>",
        ),
    ]  # fmt: skip
    end = max(float(events.computed.max()) for events in planned.values())
    return chart(traces, 140 + ROW * len(labels), xaxis=axis(TIME, range=[-0.02 * end, 1.02 * end]), yaxis=rows(labels))


def _segments(lines: Points, begin: NDArray[np.float64], end: NDArray[np.float64], row: NDArray[np.int64]) -> None:
    """Add a horizontal segment for each of (T,), with a gap after it."""
    gap = np.full(len(begin), np.nan)
    lines.x.extend(np.stack([begin, end, gap], axis=1).ravel().tolist())
    lines.y.extend(np.stack([row, row, gap], axis=1).ravel().tolist())


def timelines_table(planned: Mapping[str, Events]) -> Table:
    """The numbers of `timelines`: a row for each gradient."""
    cells = []
    for method, events in planned.items():
        reads, writes = reads_and_writes(method, events)
        columns = (events.worker + 1, events.begun, events.computed, reads, writes, events.staleness)
        cells += [(method, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    times = ("Begins", "Has computed", "Reads at", "Writes at")
    return Table(
        (
            Column("Method"),
            Column("Worker", Form.COUNT),
            *(Column(title, Form.READING) for title in times),
            Column("Staleness", Form.COUNT),
        ),
        cells,
        TIMELINES_CAPTION,
    )


def losses(by_workers: Mapping[int, Timed]) -> go.Figure:
    """A line for each number of workers."""
    traces = [
        go.Scatter(
            x=timed.time,
            y=timed.loss,
            mode="lines+markers",
            line={"color": COLOURS[place % len(COLOURS)], "width": 2},
            marker={"color": COLOURS[place % len(COLOURS)], "size": 5},
            name=counted(workers, "worker"),
            hovertemplate=f"%{{y:.4g}} at %{{x:.4g}}<extra>workers: {workers}</extra>",
        )
        for place, (workers, timed) in enumerate(by_workers.items())
    ]
    return chart(traces, LOSS_HEIGHT, xaxis=axis(TIME, log=True), yaxis=axis("Held-out loss", log=True))
