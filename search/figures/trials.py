"""The trials of one arm in one experiment: when each came, what it chose, and what mattered in that."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from cooldown.search.evidence.sensitivity import Sensitivity
from cooldown.search.figures.layout import GREY, axis, chart, explained, rows, vertical
from cooldown.search.figures.lines import label, looks
from cooldown.search.figures.points import (
    entries,
    guessing,
    loss_axis,
    marker_of_repeat,
    natural_values,
    points,
    repeat_trials,
)
from cooldown.search.figures.scales import logarithmic, loss_dimension, on_axis, parameter_axis, parameter_dimension
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.doubts import Side
from cooldown.search.statistics.sensitivity import relative_ranks
from cooldown.storage import StudyRecord

if TYPE_CHECKING:
    from pandas import DataFrame

WARNING = "#CC3311"
"""Of the edge that an alarm names."""

RANKS = ((0.0, "#1E88E5"), (0.3, "#7FA6C9"), (1.0, "#8A8A8A"))
"""From the best trial of its repeat to the worst, which stand back."""

HEIGHT = 440


FEW = 12
"""Trials up to which each has its tick."""


def history(studies: Sequence[StudyRecord], *, log: bool = True) -> go.Figure:
    """The validation loss of every trial against its number, and the best so far of each repeat as a step line.

    studies: of one arm. A pruned trial has an open marker, and its loss is that of the epoch it got to; one that did no
    better than guessing is a cross, at the line of what that gets. log: whether the axis of the losses is
    logarithmic, where all are above 0. Every point has its (repeat, trial) as customdata.
    """
    traces: list[Any] = []
    trials = repeat_trials(studies)
    for place, own in enumerate(trials):
        marker = marker_of_repeat(place, len(trials))
        traces.append(points(own, own.number, marker))
        traces.append(
            go.Scatter(
                x=own.number,
                y=own.best,
                mode="lines",
                line={"color": marker["color"], "width": 2, "shape": "hv"},
                legendgroup=str(own.repeat),
                showlegend=False,
                name=f"best of repeat {own.repeat}",
                hovertemplate="best so far %{y:.4g} at trial %{x}<extra>%{fullData.name}</extra>",
            )
        )
    if traces:
        traces.append(explained("best so far", mode="lines", line={"color": GREY, "width": 2, "shape": "hv"}))
    losses = loss_axis(trials, log)
    ticks: dict[str, Any] = {"dtick": 1} if all(own.number.max() < FEW for own in trials) else {}
    return chart(
        [*traces, *entries(trials)],
        HEIGHT,
        xaxis=axis("Trial", tickformat=",d", zeroline=False, **ticks),
        yaxis=losses,
        **guessing(trials, losses),
    )


def history_table(studies: Sequence[StudyRecord]) -> "DataFrame":
    """The numbers of `history`: a row for each trial."""
    from pandas import DataFrame

    return DataFrame(
        [
            (own.repeat, *row)
            for own in repeat_trials(studies)
            for row in zip(*(each.tolist() for each in (own.number, own.loss, own.best, own.pruned)), strict=True)
        ],
        columns=["Repeat", "Trial", "Validation loss", "Best so far", "Pruned"],
    )


def slice_(
    studies: Sequence[StudyRecord],
    parameter: Parameter,
    edge: Side | None = None,
    *,
    log: bool = True,
) -> go.Figure:
    """The validation loss of every trial against one hyperparameter, on the scale it is searched on.

    studies: of one arm; trials without the parameter, as in a joint arm, have no point. edge: the end of its range that
    an alarm names. The range's ends are dashed lines, the repeats' winners stars. On the scale of 1 − value what is
    drawn is 1 − value, on a reversed logarithmic axis with ticks in natural values. log: as in `history`. Every
    point has its (repeat, trial) as customdata, and its natural value.
    """
    trials, traces = repeat_trials(studies), []
    values = natural_values(studies, parameter)
    for place, (own, chosen) in enumerate(zip(trials, values, strict=True)):
        traces.append(points(own, on_axis(parameter, chosen), marker_of_repeat(place, len(trials)), chosen))
    if any(own.winner >= 0 for own in trials):
        star = {"symbol": "star", "size": 14, "color": GREY}
        traces.append(explained("winner of its repeat", mode="markers", marker=star))
    shapes, notes = [], []
    ends: tuple[tuple[Side, float], ...] = (("low", parameter.low), ("high", parameter.high))
    for side, end in ends:
        alarmed = side == edge
        at = float(on_axis(parameter, np.array([end]))[0])
        shapes.append(vertical(at, dash="dash", **({"color": WARNING, "width": 3} if alarmed else {})))
        if alarmed:
            notes.append(_edge_note(at, side, parameter))
    losses = loss_axis(trials, log)
    shown = [replace(o, guessed=o.guessed & ~np.isnan(chosen)) for o, chosen in zip(trials, values, strict=True)]
    guessed = guessing(shown, losses)
    return chart(
        [*traces, *entries(shown)],
        HEIGHT,
        shapes=[*shapes, *guessed["shapes"]],
        annotations=[*notes, *guessed["annotations"]],
        xaxis=parameter_axis(parameter),
        yaxis=losses,
    )


def slice_table(studies: Sequence[StudyRecord], parameter: Parameter) -> "DataFrame":
    """The numbers of `slice_`: a row for each trial that has the parameter, with its natural value."""
    from pandas import DataFrame

    columns = ["Repeat", "Trial", parameter.key, "Validation loss", "Pruned", "Winner"]
    return DataFrame(
        [
            (own.repeat, number, value, loss, pruned, number == own.winner)
            for own, chosen in zip(repeat_trials(studies), natural_values(studies, parameter), strict=True)
            for number, value, loss, pruned in zip(
                own.number.tolist(), chosen.tolist(), own.loss.tolist(), own.pruned.tolist(), strict=True
            )
            if value == value
        ],
        columns=columns,
    )


def parallel(studies: Sequence[StudyRecord], parameters: Sequence[Parameter]) -> go.Figure:
    """Every trial as a line through its hyperparameters, each on the scale it is searched on, and its loss.

    studies: of one arm; pruned trials, whose losses compare with no other, are left out. The colour is the rank within
    the repeat, 0 the best. A trial without a parameter passes below its axis, at the tick –.
    """
    table = parallel_table(studies, parameters)
    # The best last, above the others.
    table = table.sort_values("Rank", ascending=False, kind="stable")
    loss = table["Validation loss"].to_numpy(np.float64)
    dimensions = [parameter_dimension(each, table[each.key].to_numpy(np.float64)) for each in parameters]
    if not len(table):
        return chart([], HEIGHT, legend=False)
    lines = go.Parcoords(
        dimensions=[*dimensions, loss_dimension(loss)],
        line={
            "color": table["Rank"].to_numpy(np.float64),
            "colorscale": [list(stop) for stop in RANKS],
            "cmin": 0,
            "cmax": 1,
            "showscale": True,
            "colorbar": {
                "title": {"text": "Rank in<br>its repeat<br> "},
                "tickvals": [0, 0.5, 1],
                "ticktext": ["best", "median", "worst"],
                "thickness": 12,
            },
        },
    )
    return chart([lines], HEIGHT, legend=False, margin={"t": 60, "b": 30, "l": 70, "r": 30})


def parallel_table(studies: Sequence[StudyRecord], parameters: Sequence[Parameter]) -> "DataFrame":
    """The numbers of `parallel`: a row for each trial that was not pruned, with its natural values."""
    from pandas import DataFrame

    found = []
    for study in sorted(studies, key=lambda study: study.repeat):
        whole = [trial for trial in study.trials if not trial.pruned]
        if whole:
            ranks = relative_ranks(np.array([trial.validation_loss for trial in whole]))
            for trial, rank in zip(whole, ranks.tolist(), strict=True):
                chosen = [trial.parameters.get(each.key, np.nan) for each in parameters]
                found.append((study.repeat, trial.number, *chosen, trial.validation_loss, rank))
    columns = ["Repeat", "Trial", *(each.key for each in parameters), "Validation loss", "Rank"]
    return DataFrame(found, columns=columns)


def importance(sensitivities: Sequence[Sensitivity]) -> go.Figure:
    """The share of each hyperparameter in what tells an arm's good trials from the others, arm by arm, the largest on
    top. Without an importance there is a row and no bar.
    """
    labels, bars = [], []
    arms = list(dict.fromkeys(each.arm for each in sensitivities))
    known = looks(arms)
    for arm in arms:
        own = _by_importance(sensitivities, arm)
        if len(arms) > 1:
            labels.append(f"<b>{label(arm)}</b>")
        bars.append(
            go.Bar(
                x=[np.nan if each.importance is None else each.importance for each in own],
                y=list(range(len(labels), len(labels) + len(own))),
                orientation="h",
                width=0.7,
                marker={"color": known[arm].colour, "opacity": known[arm].opacity},
                customdata=[_told_width(each) for each in own],
                name=label(arm),
                hovertemplate="importance %{x:.4g}<br>%{customdata}<extra>%{fullData.name}</extra>",
            )
        )
        labels += [label(each.key) for each in own]
    return chart(
        bars,
        len(labels) * 26 + 90,
        legend=False,
        xaxis=axis("Importance (shares of 1 per arm, PED-ANOVA)", rangemode="tozero"),
        yaxis=rows(labels, "Hyperparameter"),
    )


def importance_table(sensitivities: Sequence[Sensitivity]) -> "DataFrame":
    """The numbers of `importance`, with the widths: a row for each hyperparameter of each arm."""
    from pandas import DataFrame

    columns = ["Arm", "Hyperparameter", "Importance", "Width", "Width from", "Width to", "Range", "Unit"]
    arms = dict.fromkeys(each.arm for each in sensitivities)
    return DataFrame(
        [
            (arm, each.key, each.importance, each.width, each.low, each.high, each.range_width, each.unit)
            for arm in arms
            for each in _by_importance(sensitivities, arm)
        ],
        columns=columns,
    )


def _by_importance(sensitivities: Sequence[Sensitivity], arm: str) -> list[Sensitivity]:
    own = [each for each in sensitivities if each.arm == arm]
    return sorted(own, key=lambda each: -1.0 if each.importance is None else each.importance, reverse=True)


def _edge_note(at: float, side: Side, parameter: Parameter) -> dict[str, Any]:
    """The words beside the edge that an alarm names; on a logarithmic axis a note stands at the logarithm."""
    return {
        "x": float(np.log10(at)) if logarithmic(parameter) else at,
        "xanchor": "left" if side == "low" else "right",
        "xshift": 6 if side == "low" else -6,
        "y": 1,
        "yref": "y domain",
        "yanchor": "top",
        "align": "left" if side == "low" else "right",
        "showarrow": False,
        "text": "the best values<br>crowd at this end",
        "font": {"color": WARNING},
    }


def _told_width(each: Sensitivity) -> str:
    """How wide the region of about equally good values is, in words."""
    if each.width is None or each.range_width is None:
        return "a choice" if each.unit is None else "no good region known"
    between = ""
    if each.low is not None and each.high is not None:
        between = f" (95 % interval: {each.low:.4g} to {each.high:.4g})"
    return f"about as good as the best over {each.width:.4g} of {each.range_width:.4g} {each.unit}{between}"
