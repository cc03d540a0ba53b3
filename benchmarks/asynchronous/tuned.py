"""Runs over a grid of settings, of which the best rate counts."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives import TrainConfig, train
from cooldown.objectives.problem import Problem
from cooldown.objectives.records import Curve, Outcome, mean_final_loss
from cooldown.search.figures.layout import axis, chart
from cooldown.search.figures.schedules import COLOURS

HEIGHT = 420


Measure = Callable[[Sequence[Curve]], float]
"""A number of the replicates of one config; the less, the better."""


def online_loss(curves: Sequence[Curve]) -> float:
    """The mean loss of all rows in all epochs, each before its own update, as where rows come but once; infinite for a
    run that diverged.
    """
    return max(
        float(np.mean([curve.train_loss.mean() for curve in curves])),
        *(np.inf if curve.outcome is Outcome.DIVERGED else 0.0 for curve in curves),
    )


def measured(
    problem: Problem, documents: Sequence[dict[str, Any]], seeds: Sequence[int], measure: Measure = mean_final_loss
) -> list[float]:
    """The measure of each config: without another one the mean final held-out loss, of a diverged run the baseline."""
    configs = [TrainConfig.from_json(document) for document in documents]
    return [measure(curves) for curves in train(problem, configs, seeds)]


def best(
    problem: Problem, documents: Sequence[dict[str, Any]], seeds: Sequence[int], measure: Measure = mean_final_loss
) -> tuple[int, float]:
    """The place of the config with the least measure, and that measure."""
    losses = measured(problem, documents, seeds, measure)
    place = int(np.argmin(losses))
    return place, losses[place]


def lines(
    named: dict[str, tuple[Iterable[float], Iterable[float]]], x: str, y: str, *, log_y: bool = True
) -> go.Figure:
    """A line with markers for each name, over a logarithmic axis."""
    traces = [
        go.Scatter(
            x=list(at),
            y=list(values),
            mode="lines+markers",
            line={"color": COLOURS[place % len(COLOURS)], "width": 2},
            marker={"color": COLOURS[place % len(COLOURS)], "size": 7},
            name=name,
        )
        for place, (name, (at, values)) in enumerate(named.items())
    ]
    return chart(traces, HEIGHT, xaxis=axis(x, log=True), yaxis=axis(y, log=log_y))
