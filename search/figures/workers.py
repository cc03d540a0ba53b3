"""The timeline of an experiment's workers: who trained what, and when."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.evidence.numbers import Form, duration, formatted, percent
from cooldown.search.evidence.view import View
from cooldown.search.evidence.work import REFERENCES, DoneJob, Pause, busy, done_jobs, pauses, without
from cooldown.search.figures.layout import GREY, axis, chart, rows, vertical
from cooldown.search.figures.lines import label, looks, whole

ROW, AROUND = 38, 230
"""Pixels of a worker's row, and of all else."""

BAR = 0.7
"""The height of a bar, in rows."""

PATTERNS = ("", "/", "x", ".", "-", "+", "\\", "|")
"""Of arms of one colour, in order, so that they can be told apart."""

UNITS = ((7200.0, 3600.0, "hours"), (120.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
"""From so many seconds on, a unit of so many, and its name."""

HOVER = "%{customdata[0]}<br>repeat %{customdata[1]}, %{customdata[2]}<br>took %{customdata[3]} s<extra></extra>"

FADED = 0.3
"""The opacity of jobs that do not stand out."""


def workers(view: View, stands_out: Callable[[DoneJob], bool] = lambda _: True) -> go.Figure | None:
    """A row for each worker and a bar for each of its jobs, in the colour and pattern of the job's arm.

    stands_out: whether a job does; the others are faded. None where it is not known who trained.
    """
    jobs = done_jobs(view)
    if not jobs:
        return None
    shares, cut = busy(jobs), pauses(jobs)
    end = without(max(job.end for job in jobs), cut)
    places = {worker: place for place, worker in enumerate(shares)}
    size, unit = next((size, unit) for least, size, unit in UNITS if end >= least)
    traces: list[Any] = []
    for arm, marker in _markers(view.arms).items():
        for opacity in (1.0, FADED):
            shown = [job for job in jobs if job.arm == arm and stands_out(job) is (opacity == 1.0)]
            if shown:
                named = all(trace.legendgroup != arm for trace in traces)
                traces.append(_bars(shown, places, size, cut, marker=marker, opacity=opacity, showlegend=named))
    names = [f"{visible_in_html(worker)}<br>{percent(share)} busy" for worker, share in shares.items()]
    return chart(
        traces,
        AROUND + ROW * len(names),
        barmode="overlay",
        xaxis=axis(f"{'Time without pauses' if cut else 'Time'} ({unit})", rangemode="tozero", zeroline=False),
        yaxis=rows(names),
        shapes=[vertical(without(pause.end, cut) / size, dash="dot") for pause in cut],
        annotations=[_length(pause, without(pause.end, cut) / size) for pause in cut],
    )


def _length(pause: Pause, at: float) -> dict[str, Any]:
    """How long a pause was, above its line."""
    place = {"x": at, "y": 1, "yref": "y domain", "yanchor": "bottom"}
    return {**place, "showarrow": False, "text": duration(pause.length)}


def _bars(
    jobs: Sequence[DoneJob], places: Mapping[str, int], size: float, cut: tuple[Pause, ...], **look: Any
) -> go.Bar:
    """The bars of jobs of one arm. places: the row of each worker. size: seconds of a unit of the axis. cut: the pauses
    that are cut out.
    """
    return go.Bar(
        name=label(jobs[0].arm),
        legendgroup=jobs[0].arm,
        orientation="h",
        base=[without(job.begin, cut) / size for job in jobs],
        x=[(job.end - job.begin) / size for job in jobs],
        y=[places[job.worker] for job in jobs],
        width=BAR,
        customdata=[
            [whole(job.arm), job.repeat, job.what, formatted(job.end - job.begin, Form.SECONDS)] for job in jobs
        ],
        hovertemplate=HOVER,
        **look,
    )


def _markers(arms: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The marker of each arm, and of the references."""
    colours = {**{arm: look.colour for arm, look in looks(arms).items()}, REFERENCES: GREY}
    markers, seen = {}, Counter[str]()
    for arm, colour in colours.items():
        pattern = PATTERNS[seen[colour] % len(PATTERNS)]
        seen[colour] += 1
        markers[arm] = {"color": colour, "line": {"color": colour, "width": 1}, "pattern": {"shape": pattern}}
    return markers
