"""Charts of many arms: each against the best one, and every pair as a cell of a matrix."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cooldown.search.evidence.numbers import Form, formatted, interval
from cooldown.search.evidence.tables import first_is
from cooldown.search.figures.layout import axis, chart, rows, vertical, zero_line
from cooldown.search.figures.lines import faded, folded, label, looks, whole
from cooldown.search.figures.scales import log_ticks
from cooldown.search.figures.verdict import FALLS, RISES, decided_marker, hover, whisker, words
from cooldown.search.statistics.verdict import Verdict

AGAINST_CAPTION = (
    "The test loss of each arm divided by that of the best one, with its interval: further to the right is worse. A "
    "full marker is decided, an open one is not: an arm whose interval includes 1 may be as good."
)
MATRIX_CAPTION = (
    "The test loss of the row's arm divided by that of the column's: below 1 the row is ahead. Bold with a dot: "
    "decided. The lowest loss is on top."
)

SIMILAR = 4.0
"""The ratio of the ends of an axis below which it would have one or two ticks."""

OPACITY = 0.45
"""Of a cell's full colour, on which text in black and in white can be read."""

WIDEST = float(np.log(2.0))
"""The logarithm of the ratio from which on a cell has the full colour."""


def against_best(pairs: Sequence[Verdict]) -> go.Figure:
    """A row for each arm against the best one. pairs: as `evidence.against_best.against_best` gives them."""
    ratios = all(verdict.scale == "ratio" for verdict in pairs)
    known = looks([*(verdict.a for verdict in pairs), *(verdict.b for verdict in pairs[:1])])
    traces, labels = [], []
    for row, verdict in enumerate(pairs):
        # Whether the best one is ahead needs no words here.
        labels.append(f"{folded(label(verdict.a))}<br><i>{first_is(verdict)}</i>")
        value = verdict.ratio if ratios else verdict.difference
        if value is None or verdict.low is None or verdict.high is None:
            continue
        colour = known[verdict.leader].colour if verdict.leader else known[verdict.a].colour
        traces.append(
            go.Scatter(
                x=[value],
                y=[row],
                mode="markers",
                marker=decided_marker(verdict, known),
                error_x=whisker(value, verdict.low, verdict.high, colour),
                name=label(verdict.a),
                hovertemplate=hover(verdict, value),
            )
        )
    best = label(pairs[0].b) if pairs else ""
    title = f"Loss / loss of<br>{folded(best)}" if ratios else f"Loss − loss of<br>{folded(best)}"
    scale = {"log": True, **_ticks(pairs)} if ratios else zero_line()
    return chart(
        traces,
        len(pairs) * 44 + 110,
        legend=False,
        shapes=[vertical(1.0)] if ratios else [],
        xaxis=axis(title, **scale),
        yaxis=rows(labels),
    )


def _ticks(pairs: Sequence[Verdict]) -> dict[str, Any]:
    """Ticks of a log axis at 1, 2 and 5 times the powers of ten, which fit a phone; of close ratios a few even ones."""
    ends = [end for verdict in pairs for end in (verdict.low, verdict.high) if end]
    if not ends or max(ends) < SIMILAR * min(ends):
        return {"nticks": 4}
    ticks = log_ticks(float(np.log10(min(ends))), float(np.log10(max(ends))))
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def matrix(arms: Sequence[str], verdicts: Sequence[Verdict]) -> go.Figure:
    """A cell for each pair of arms. arms: in the order of rows and columns."""
    found: Mapping[tuple[str, str], Verdict] = {
        (each.a, each.b): each for verdict in verdicts for each in (verdict, verdict.flipped)
    }
    heights, texts, hovers = [], [], []
    for row in arms:
        cells = [found.get((row, column)) for column in arms]
        heights.append([_height(cell) for cell in cells])
        texts.append([_text(cell) for cell in cells])
        hovers.append([_told(cell) for cell in cells])
    names = [folded(label(arm), 14) for arm in arms]
    places = list(range(len(arms)))
    ticks: dict[str, Any] = {"tickvals": places, "ticktext": names, "tickangle": -90, "side": "top"}
    heat = go.Heatmap(
        z=heights,
        x=places,
        y=places,
        hovertext=hovers,
        hovertemplate="%{hovertext}<extra></extra>",
        colorscale=[[0, faded(FALLS, OPACITY)], [0.5, "rgba(128, 128, 128, 0.1)"], [1, faded(RISES, OPACITY)]],
        zmin=-WIDEST,
        zmax=WIDEST,
        showscale=False,
        xgap=2,
        ygap=2,
    )
    # In the colour of all text, which a heat map's own text has not.
    x, y = (list(each) for each in zip(*product(places, places), strict=True))
    shown = [texts[row][column] for column, row in zip(x, y, strict=True)]
    values = go.Scatter(x=x, y=y, text=shown, mode="text", hoverinfo="skip")
    return chart(
        [heat, values],
        len(arms) * 38 + 190,
        legend=False,
        xaxis=axis("", showgrid=False, zeroline=False, **ticks),
        yaxis=rows(names),
    )


def _height(cell: Verdict | None) -> float | None:
    """What colours a cell: the logarithm of the ratio; of losses that have none, whose side the difference is on."""
    if cell is None or cell.difference is None:
        return None
    return float(np.log(cell.ratio)) if cell.ratio is not None else float(np.sign(cell.difference)) * WIDEST / 2


def _text(cell: Verdict | None) -> str:
    if cell is None or cell.difference is None:
        return ""
    value = formatted(cell.ratio, Form.RATIO) if cell.ratio is not None else formatted(cell.difference, Form.DIFFERENCE)
    return f"<b>{value} •</b>" if cell.winner else value


def _told(cell: Verdict | None) -> str:
    if cell is None:
        return ""
    form, value = (Form.RATIO, cell.ratio) if cell.scale == "ratio" else (Form.DIFFERENCE, cell.difference)
    return (
        f"{whole(cell.a)}<br>vs {whole(cell.b)}<br>{formatted(value, form)} {interval(cell.low, cell.high, form)}<br>"
        f"{words(cell)}"
    )
