"""The curves of chosen trials side by side: the loss of each, and the learning rate as one of its seeds executed it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.evidence.learning import Amount, ArmCurves
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.layout import axis, chart, hovered
from cooldown.search.figures.learning import MARKERS, TITLES, amount
from cooldown.search.figures.points import SYMBOLS
from cooldown.search.figures.schedules import COLOURS, DASHES

HEIGHT = 520

PER_TRIAL = 10
"""Pixels of height for a trial in the legend, which is below the charts."""

MOST = 12
"""More lines in one chart cannot be told apart."""

CAPTION = (
    "Top: the validation loss of each trial, the mean over its search seeds; a line ends where one of these was "
    "stopped. Bottom: the learning rate as its first seed executed it, after each epoch."
)


def trial_curves(
    trials: Mapping[str, ArmCurves], *, x: Amount = "epochs", log_loss: bool = True, log_x: bool = False
) -> go.Figure:
    """A line for each trial in both charts. trials: by label, as `evidence.learning.trial_curves` gives them."""
    traces: list[Any] = []
    for place, (name, curves) in enumerate(trials.items()):
        colour, dash = COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)]
        look: dict[str, Any] = {
            "x": curves.axes[x],
            "mode": "lines+markers",
            "line": {"color": colour, "dash": dash, "width": 2},
            "marker": {"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7, "maxdisplayed": MARKERS},
            "name": visible_in_html(name),
            "legendgroup": name,
        }
        at = f"{amount(x)}<extra>%{{fullData.name}}</extra>"
        loss = curves.validation.mean(axis=0)
        traces.append(go.Scatter(y=loss, hovertemplate=f"validation loss %{{y:{hovered(loss)}}}<br>after {at}", **look))
        rate = {"y": curves.rate[0], "yaxis": "y2", "showlegend": False}
        traces.append(go.Scatter(hovertemplate=f"learning rate %{{y:.3g}}<br>after {at}", **look, **rate))
    above = all(np.nanmin(curves.validation, initial=np.inf) > 0 for curves in trials.values())
    return chart(
        traces,
        HEIGHT + PER_TRIAL * len(trials),
        xaxis=axis(TITLES[x], log=log_x, anchor="y2"),
        yaxis=axis("Validation loss", log=log_loss and above, domain=[0.4, 1]),
        yaxis2=axis("Learning rate", log=True, domain=[0, 0.34], exponentformat="power"),
    )


def trial_curves_table(trials: Mapping[str, ArmCurves]) -> Table:
    """The numbers of `trial_curves`: a row for each trial and epoch."""
    rows = [
        (name, epoch, loss, rate)
        for name, curves in trials.items()
        for epoch, (loss, rate) in enumerate(
            zip(curves.validation.mean(axis=0).tolist(), curves.rate[0].tolist(), strict=True), 1
        )
    ]
    return Table(
        (
            Column("Trial"),
            Column("Epoch", Form.COUNT),
            Column("Validation loss", Form.LOSS),
            Column("Learning rate", Form.READING),
        ),
        rows,
        CAPTION,
    )
