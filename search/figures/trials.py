"""The trials of one arm: search history, loss against each hyperparameter, and parallel coordinates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives import tasks
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.selection import LOSS
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.trials import guessed
from cooldown.search.evidence.view import View
from cooldown.search.figures.layout import GREY, axis, chart, explained, hovered, vertical
from cooldown.search.figures.points import (
    Chosen,
    entries,
    guessing,
    loss_axis,
    marker_of_repeat,
    natural_values,
    points,
    repeat_trials,
)
from cooldown.search.figures.scales import (
    logarithmic,
    loss_dimension,
    on_axis,
    parameter_axis,
    parameter_dimension,
    title_of,
)
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.doubts import Side
from cooldown.search.statistics.sensitivity import relative_ranks
from cooldown.storage import StudyRecord

WARNING = "#CC3311"
"""Of the edge that an alarm names."""

RANKS = ((0.0, "#1E88E5"), (0.3, "#7FA6C9"), (1.0, "#8A8A8A"))
"""Colours from the best trial of its repeat to the worst, which are less prominent."""

HEIGHT = 440

REPEAT_AND_TRIAL = (Column("Repeat", Form.COUNT), Column("Trial", Form.COUNT))

SLICE_CAPTION = "Each dot is a trial, each star a study's winner. The dashed lines are the ends of the range."
PARALLEL_CAPTION = (
    "Each line is a trial, coloured by its rank within its study: the best are blue. A range of values that is chosen "
    "is marked on its axis."
)
BASELINES = {"classification": "predicting class frequencies", "regression": "predicting the mean"}
"""The predictor of the baseline loss, by kind of task."""


LABEL_ANGLE = -25
"""Of the names of parallel coordinates, which would lie over each other on a phone."""

FEW = 12
"""The most trials that each have a tick."""


def history(studies: Sequence[StudyRecord], *, log: bool = True, best: bool = True, chosen: Chosen = None) -> go.Figure:
    """The validation loss of every trial against its number, and the best so far of each repeat as a step line.

    studies: of one arm. A pruned trial has an open marker at the loss of its last epoch; a trial that did no better
    than guessing is a cross at the baseline loss. log: whether the loss axis is logarithmic, if all losses are above 0.
    best: whether the step lines are drawn. chosen: the trials, by (repeat, trial), that stand out; None for all alike.
    Every point has its (repeat, trial) as customdata.
    """
    traces: list[Any] = []
    trials = repeat_trials(studies)
    for place, study_trials in enumerate(trials):
        marker = marker_of_repeat(place, len(trials))
        traces.append(points(study_trials, study_trials.number, marker, chosen=chosen))
        if not best:
            continue
        traces.append(
            go.Scatter(
                x=study_trials.number,
                y=study_trials.best,
                mode="lines",
                line={"color": marker["color"], "width": 2, "shape": "hv"},
                legendgroup=str(study_trials.repeat),
                showlegend=False,
                name=f"best of repeat {study_trials.repeat}",
                hovertemplate=f"best so far %{{y:{hovered(study_trials.best)}}} at trial %{{x}}"
                "<extra>%{fullData.name}</extra>",
            )
        )
    if traces and best:
        traces.append(explained("best so far", mode="lines", line={"color": GREY, "width": 2, "shape": "hv"}))
    losses = loss_axis(trials, log)
    ticks: dict[str, Any] = {"dtick": 1} if all(study_trials.number.max() < FEW for study_trials in trials) else {}
    return chart(
        [*traces, *entries(trials)],
        HEIGHT,
        xaxis=axis("Trial", tickformat=",d", zeroline=False, **ticks),
        yaxis=losses,
        **guessing(trials, losses),
    )


def history_table(studies: Sequence[StudyRecord]) -> Table:
    """The numbers of `history`: a row for each trial."""
    return Table(
        (
            *REPEAT_AND_TRIAL,
            Column("Validation loss", Form.LOSS),
            Column("Best so far", Form.LOSS),
            Column("Pruned"),
        ),
        [
            (study_trials.repeat, *row)
            for study_trials in repeat_trials(studies)
            for row in zip(
                study_trials.number.tolist(),
                study_trials.loss.tolist(),
                study_trials.best.tolist(),
                study_trials.pruned.tolist(),
                strict=True,
            )
        ],
    )


def history_caption(view: View, studies: Sequence[StudyRecord]) -> str:
    """How to read `history` of the `studies` of one arm."""
    text = (
        "Validation loss of every trial in the order of the search; the step lines are each repeat's best so far. Open "
        "markers are pruned trials."
    )
    if not any(guessed(trial) for study in studies for trial in study.trials):
        return text
    task = view.spec.task
    # The kind of a task that is not built in is unknown without its data.
    baseline = BASELINES[tasks.get(task).kind] if task in tasks.names() else " or ".join(BASELINES.values())
    return f"{text} Crosses did no better than {baseline} with any seed: they diverged, or their loss is capped."


def slice_(
    studies: Sequence[StudyRecord],
    parameter: Parameter,
    edge: Side | None = None,
    *,
    log: bool = True,
    chosen: Chosen = None,
) -> go.Figure:
    """The validation loss of every trial against one hyperparameter, on the scale it is searched on.

    studies: of one arm; trials without the parameter, as in a joint arm, have no point. edge: the end of its range that
    an alarm names. The range's ends are dashed lines, the repeats' winners stars. A parameter that is searched as
    1 − value is drawn so, on a reversed logarithmic axis with ticks in natural values. log, chosen: as in `history`.
    Every point has its (repeat, trial) as customdata, and its natural value.
    """
    trials, traces = repeat_trials(studies), []
    values = natural_values(studies, parameter)
    for place, (study_trials, natural) in enumerate(zip(trials, values, strict=True)):
        marker = marker_of_repeat(place, len(trials))
        name = title_of(parameter)
        traces.append(points(study_trials, on_axis(parameter, natural), marker, natural, name, chosen))
    if any(study_trials.winner >= 0 for study_trials in trials):
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
    shown = [
        replace(study_trials, guessed=study_trials.guessed & ~np.isnan(natural))
        for study_trials, natural in zip(trials, values, strict=True)
    ]
    guessed = guessing(shown, losses)
    return chart(
        [*traces, *entries(shown)],
        HEIGHT,
        shapes=[*shapes, *guessed["shapes"]],
        annotations=[*notes, *guessed["annotations"]],
        xaxis=parameter_axis(parameter),
        yaxis=losses,
    )


def slice_table(studies: Sequence[StudyRecord], parameter: Parameter) -> Table:
    """The numbers of `slice_`: a row for each trial that has the parameter, with its natural value."""
    return Table(
        (
            *REPEAT_AND_TRIAL,
            Column(parameter.key, Form.VALUE),
            Column("Validation loss", Form.LOSS),
            Column("Pruned"),
            Column("Winner"),
        ),
        [
            (study_trials.repeat, number, value, loss, pruned, number == study_trials.winner)
            for study_trials, chosen in zip(repeat_trials(studies), natural_values(studies, parameter), strict=True)
            for number, value, loss, pruned in zip(
                study_trials.number.tolist(),
                chosen.tolist(),
                study_trials.loss.tolist(),
                study_trials.pruned.tolist(),
                strict=True,
            )
            if value == value
        ],
    )


def parallel(
    studies: Sequence[StudyRecord],
    parameters: Sequence[Parameter],
    chosen: Chosen = None,
    between: Mapping[str, tuple[float, float]] | None = None,
) -> go.Figure:
    """Every trial as a line through its hyperparameters, each on the scale it is searched on, and its loss.

    studies: of one arm; pruned trials are left out, as their losses are not comparable. The colour is the rank within
    the repeat, 0 the best. The line of a trial without a parameter crosses that axis at the tick –. chosen: the trials
    that are drawn, by (repeat, trial); None for all. between: ranges that are marked on their axes, by hyperparameter
    or `LOSS`: the lines of trials outside of one are grey.
    """
    marked = between or {}
    table = parallel_table(studies, parameters)
    if chosen is not None:
        table = table.take([place for place, row in enumerate(table.rows) if (row[0], row[1]) in chosen])
    if not len(table):
        return chart([], HEIGHT, legend=False)
    # The best trials last, so that they are drawn above the others.
    table = table.sorted(lambda row: -row[-1])

    def column(title: str) -> NDArray[np.float64]:
        return np.array(table.values(title), np.float64)

    dimensions = [
        parameter_dimension(parameter, column(parameter.key), marked.get(parameter.key)) for parameter in parameters
    ]
    lines = go.Parcoords(
        dimensions=[*dimensions, loss_dimension(column("Validation loss"), marked.get(LOSS))],
        labelangle=LABEL_ANGLE,
        line={
            "color": column("Rank"),
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
    return chart([lines], HEIGHT, legend=False, margin={"t": 110, "b": 30, "l": 70, "r": 30})


def parallel_table(studies: Sequence[StudyRecord], parameters: Sequence[Parameter]) -> Table:
    """The numbers of `parallel`: a row for each trial that was not pruned, with its natural values."""
    rows = []
    for study in sorted(studies, key=lambda study: study.repeat):
        complete = [trial for trial in study.trials if not trial.pruned]
        if complete:
            ranks = relative_ranks(np.array([trial.validation_loss for trial in complete]))
            for trial, rank in zip(complete, ranks.tolist(), strict=True):
                chosen = [trial.parameters.get(parameter.key, np.nan) for parameter in parameters]
                rows.append((study.repeat, trial.number, *chosen, trial.validation_loss, rank))
    return Table(
        (
            *REPEAT_AND_TRIAL,
            *(Column(parameter.key, Form.VALUE) for parameter in parameters),
            Column("Validation loss", Form.LOSS),
            Column("Rank", Form.WIDTH),
        ),
        rows,
    )


def _edge_note(at: float, side: Side, parameter: Parameter) -> dict[str, Any]:
    """The label at the edge that an alarm names; on a logarithmic axis it is placed at the logarithm."""
    return {
        "x": float(np.log10(at)) if logarithmic(parameter) else at,
        "xanchor": "left" if side == "low" else "right",
        "xshift": 6 if side == "low" else -6,
        "y": 1,
        "yref": "y domain",
        "yanchor": "top",
        "align": "left" if side == "low" else "right",
        "showarrow": False,
        "text": "best values<br>at this end",
    }
