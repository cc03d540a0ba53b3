"""Schedules: the learning rate of each update."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives import schedules
from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.layout import axis, chart
from cooldown.search.figures.points import SYMBOLS
from cooldown.search.spec.arms import short

COLOURS = ("#1A7FC4", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#AA3377", "#8CBC68")
"""In order, repeated where there are more lines. Source: Okabe & Ito, Tol."""

DASHES = ("solid", "dash", "dot", "dashdot")
"""The next one each time the colours repeat."""

HEIGHT = 420

EPOCHS, UPDATES = 70, 100
"""Of the run in `shape`: three periods of SGDR, and updates in an epoch."""


def rates(
    multipliers: Mapping[str, NDArray[np.float64]],
    unit: str = "Learning rate",
    log: bool = False,
    lines: Mapping[str, Mapping[str, str]] | None = None,
) -> go.Figure:
    """A line for each label by update, from 1.

    multipliers: the (updates,) rates, or multipliers of one, by label, which may be any text. unit: what they are. log:
    whether their axis is logarithmic. lines: colour and dash by label, as `lines.line_of_arm` gives them; a label that
    is missing gets the next of `COLOURS`.
    """
    styles = lines or {}
    traces = [
        go.Scatter(
            x=np.arange(1, len(values) + 1),
            y=values,
            mode="lines+markers" if len(values) > 1 else "markers",
            # A few, so that lines can be told apart without their colours.
            marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7, "maxdisplayed": 8},
            line={
                "color": COLOURS[place % len(COLOURS)],
                "dash": DASHES[place // len(COLOURS) % len(DASHES)],
                **styles.get(name, {}),
                "width": 2,
            },
            name=visible_in_html(short(name)),
            showlegend=True,
            hovertemplate=f"{visible_in_html(unit)} %{{y:.4g}}<br>update %{{x}}<extra>%{{fullData.name}}</extra>",
        )
        for place, (name, values) in enumerate(multipliers.items())
    ]
    bottom = {} if log else {"rangemode": "tozero"}
    return chart(traces, HEIGHT, xaxis=axis("Update"), yaxis=axis(visible_in_html(unit), log=log, **bottom))


def of_schedules(names: Sequence[str]) -> go.Figure:
    """The shapes of schedules over a run. Raises InputError for an unknown schedule."""
    return rates({name: shape(name) for name in dict.fromkeys(names)}, "Share of the highest rate")


def shape(name: str) -> NDArray[np.float64]:
    """The (`EPOCHS` × `UPDATES`,) rates of a schedule with its default hyperparameters over a run, as shares of its
    highest; a warm-up that is part of its formula takes a fifth of the run. Raises InputError for an unknown schedule.
    """
    entry = schedules.get(name)
    settings = entry.complete({} if entry.ramped else {"warmup_steps": EPOCHS * UPDATES // 5})
    multipliers = entry.rates(EPOCHS * UPDATES, UPDATES, settings)
    return np.asarray(multipliers / multipliers.max(), np.float64)


def rates_table(multipliers: Mapping[str, NDArray[np.float64]], unit: str = "Learning rate") -> Table:
    """The numbers of `rates`: a row for each label and update."""
    return Table(
        (Column("Label"), Column("Update", Form.COUNT), Column(unit, Form.READING)),
        [
            (name, update, value)
            for name, values in multipliers.items()
            for update, value in enumerate(values.tolist(), 1)
        ],
    )
