"""Charts of several tasks: the question on each and over all of them, the arms' ranks, and curves over each other."""

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.evidence.across.overlay import Overlaid
from cooldown.search.evidence.across.question import Across, OnTask
from cooldown.search.evidence.across.ranking import Ranking
from cooldown.search.evidence.across.tables import ALL_TASKS, in_words
from cooldown.search.evidence.numbers import Form, counted, formatted, interval
from cooldown.search.figures.layout import BAND, GREY, HELPER, axis, chart, rows, vertical
from cooldown.search.figures.lines import folded, label, looks, whole
from cooldown.search.statistics.friedman import alike
from cooldown.search.statistics.verdict import Verdict

FOREST_CAPTION = (
    "Each row is a task: the ratio of the two arms' test losses with its interval, on a log axis. A marker on the left "
    "favours the first side; it is open where the task's own answer has alarms. The diamond is the mean over tasks "
    "with its 95 % interval; the thin line through it is the 95 % prediction interval for one more such task. The "
    "shaded area is where losses are practically equal."
)

RANKS_CAPTION = (
    "Mean rank of each arm over the tasks, 1 for the lowest loss. Arms that a bar joins cannot be told apart: their "
    "mean ranks differ by less than the critical difference (Nemenyi, 5 %)."
)

OVERLAY_CAPTION = (
    "Each curve is one arm of an experiment's question: the colour is the arm's, the dash the experiment's. Losses are "
    "shares of the loss of the baseline predictor, which has 1, so that tasks can be compared."
)

SHARE = "Validation loss / baseline"

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Of experiments that are drawn over each other."""


def forest(across: Across) -> go.Figure:
    """The ratio on every task, a row for each, and in the last one that over all tasks."""
    labels = [visible_in_html(each.of.task) for each in across.tasks]
    traces = [_dot(each, row) for row, each in enumerate(across.tasks)]
    shapes = [vertical(1.0)]
    pooled, effects = across.pooled, across.effects
    if pooled is not None and effects is not None:
        row = len(labels)
        labels.append(f"<b>{ALL_TASKS}</b>")
        shapes.append(_margin(pooled, row))
        if effects.spread_low is not None and effects.spread_high is not None:
            low, high = float(np.exp(effects.spread_low)), float(np.exp(effects.spread_high))
            hover = f"one more task: {interval(low, high, Form.RATIO)}<extra></extra>"
            line = {"width": 1.5, "color": GREY}
            traces.append(
                go.Scatter(x=[low, high], y=[row, row], mode="lines", line=line, hovertemplate=hover, name=ALL_TASKS)
            )
        traces.append(_diamond(pooled, row))
    ends_of_axis = [end for each in across.tasks for end in (each.verdict.low, each.verdict.high) if end]
    few = {"nticks": 8} if ends_of_axis and max(ends_of_axis) < 4 * min(ends_of_axis) else {}
    return chart(
        traces,
        len(labels) * 30 + 120,
        legend=False,
        shapes=shapes,
        annotations=_sides(across.sides),
        xaxis=axis("Loss ratio", log=True, **few),
        yaxis=rows(labels),
    )


def ranks(ranking: Ranking) -> go.Figure:
    """The arms' mean ranks, the best on top, with a bar beside those that cannot be told apart."""
    found = ranking.ranked
    if found is None:
        raise ValueError("ranks(ranking=...): needs at least two tasks")
    order = np.argsort(found.means, kind="stable")
    look = looks(ranking.arms)
    traces = [
        go.Scatter(
            x=[found.means[place]],
            y=[row],
            mode="markers",
            marker={**look[ranking.arms[place]].marker, "size": 12},
            name=label(ranking.arms[place]),
            hovertemplate=f"{whole(ranking.arms[place])}<br>mean rank "
            f"{formatted(float(found.means[place]), Form.WIDTH)} over {counted(len(ranking.tasks), 'task')}"
            "<extra></extra>",
        )
        for row, place in enumerate(order)
    ]
    groups = alike(found.means, found.critical_difference)
    last = len(ranking.arms)
    bars = [
        {
            "type": "line",
            **{
                "x0": last + 0.25 + 0.18 * number,
                "x1": last + 0.25 + 0.18 * number,
                "y0": first - 0.2,
                "y1": end + 0.2,
            },
            "line": {"color": HELPER, "width": 4},
        }
        for number, (first, end) in enumerate(groups)
    ]
    return chart(
        traces,
        len(ranking.arms) * 30 + 110,
        legend=False,
        shapes=bars,
        xaxis=axis("Mean rank", range=[0.8, last + 0.4 + 0.18 * len(groups)], tickvals=list(range(1, last + 1))),
        yaxis=rows([label(ranking.arms[place]) for place in order], showgrid=True),
    )


def overlaid(lines: Overlaid, x_title: str, *, log_x: bool = False) -> go.Figure:
    """Curves of several experiments over each other. An arm has its colour, an experiment its dash."""
    look = looks(dict.fromkeys(arm for _, arm in lines))
    dash = {name: DASHES[place % len(DASHES)] for place, name in enumerate(dict.fromkeys(name for name, _ in lines))}
    traces = [
        go.Scatter(
            x=each.x,
            y=each.y,
            mode="lines",
            line={"color": look[arm].colour, "dash": dash[name], "width": 2},
            name=f"{visible_in_html(name)}: {label(arm)}",
            hovertemplate=f"{visible_in_html(name)}<br>{whole(arm)}<br>%{{x:,}}: %{{y:.3f}}<extra></extra>",
        )
        for (name, arm), each in lines.items()
    ]
    return chart(
        traces,
        360 + 12 * len(traces),
        xaxis=axis(x_title, log=log_x),
        yaxis=axis(SHARE, log=True),
    )


def _dot(task: OnTask, row: int) -> go.Scatter:
    verdict = task.verdict
    winner = {"a_better": verdict.a, "b_better": verdict.b}.get(verdict.verdict)
    marker = looks([winner])[winner].marker if winner else {"color": GREY, "symbol": "circle"}
    ratio, low, high = (float(each or 1.0) for each in (verdict.ratio, verdict.low, verdict.high))
    doubts = ""
    if task.alarms:
        marker = {**marker, "symbol": f"{marker['symbol']}-open"}
        doubts = f"<br>alarms: {visible_in_html(in_words(task.alarms) or '')}"
    return go.Scatter(
        x=[ratio],
        y=[row],
        mode="markers",
        marker={**marker, "size": 10},
        error_x={"array": [high - ratio], "arrayminus": [ratio - low], "color": marker["color"], "thickness": 2},
        name=f"{label(verdict.a)} vs {label(verdict.b)}",
        hovertemplate=f"{whole(verdict.a)}<br>vs {whole(verdict.b)}<br>ratio {formatted(ratio, Form.RATIO)} "
        f"{interval(low, high, Form.RATIO)}<br>first ahead in {verdict.wins} of {verdict.repeats} repeats{doubts}"
        "<extra></extra>",
    )


def _diamond(pooled: Verdict, row: int) -> go.Scatter:
    """The mean over tasks: as wide as its interval."""
    ratio, low, high = (float(each or 1.0) for each in (pooled.ratio, pooled.low, pooled.high))
    return go.Scatter(
        x=[low, ratio, high, ratio, low],
        y=[row, row - 0.3, row, row + 0.3, row],
        mode="lines",
        fill="toself",
        fillcolor=GREY,
        line={"color": GREY, "width": 1},
        name=ALL_TASKS,
        text=f"{ALL_TASKS}: ratio {formatted(ratio, Form.RATIO)} {interval(low, high, Form.RATIO)}",
        hoveron="fills",
        hoverinfo="text",
    )


def _margin(pooled: Verdict, row: int) -> dict[str, object]:
    """The shape of the area in which losses are practically equal, behind all rows."""
    across_rows = {"y0": -0.5, "y1": row + 0.5}
    ends = {"x0": pooled.margin_low, "x1": pooled.margin_high}
    return {"type": "rect", **ends, **across_rows, "fillcolor": BAND, "line": {"width": 0}, "layer": "below"}


def _sides(sides: tuple[str, str]) -> list[dict[str, object]]:
    """Above the rows, on both sides of equal losses: which side favours which arm."""
    placed = (("right", -6, f"← {sides[0]}"), ("left", 6, f"{sides[1]} →"))
    above = {"x": 0, "y": 1, "yref": "y domain", "yanchor": "bottom", "showarrow": False}
    return [
        {**above, "xanchor": anchor, "xshift": shift, "text": folded(visible_in_html(text), 12)}
        for anchor, shift, text in placed
    ]
