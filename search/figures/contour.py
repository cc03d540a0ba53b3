"""Two hyperparameters together: the loss between the trials, and the trials by their rank."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.layout import chart, hovered, wide
from cooldown.search.figures.points import Chosen, opacities
from cooldown.search.figures.scales import position_axis
from cooldown.search.figures.trials import RANKS, REPEAT_AND_TRIAL
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.sensitivity import relative_ranks
from cooldown.storage import StudyRecord

HEIGHT = 460

GRID = 48
"""Points of the surface along each axis."""

FEWEST = 4
"""Trials that a surface takes."""

RANK_CAPTION = "Points are trials, coloured by their rank within their repeat: the best are blue."
CAPTION = (
    "The shade is the validation loss, linear between the trials: darker is lower. It says nothing where there are no "
    f"trials. {RANK_CAPTION}"
)

SHADES = ((0.0, "#5B6470"), (0.5, "#A7B0BB"), (1.0, "#E8EBEF"))
"""From the lowest loss to the highest: greys, on which the ranks can be seen."""


def contour_table(studies: Sequence[StudyRecord], a: Parameter, b: Parameter) -> Table:
    """The numbers of `contour`: a row for each trial that was not pruned and has both hyperparameters."""
    rows = []
    for study in sorted(studies, key=lambda study: study.repeat):
        complete = [trial for trial in study.trials if not trial.pruned]
        if not complete:
            continue
        ranks = relative_ranks(np.array([trial.validation_loss for trial in complete]))
        for trial, rank in zip(complete, ranks.tolist(), strict=True):
            values = [trial.parameters.get(parameter.key) for parameter in (a, b)]
            if None not in values:
                rows.append((study.repeat, trial.number, *values, trial.validation_loss, rank))
    return Table(
        (
            *REPEAT_AND_TRIAL,
            *(Column(parameter.key, Form.VALUE) for parameter in (a, b)),
            Column("Validation loss", Form.LOSS),
            Column("Rank", Form.WIDTH),
        ),
        rows,
        CAPTION,
    )


def contour(
    studies: Sequence[StudyRecord], a: Parameter, b: Parameter, chosen: Chosen = None, *, surface: bool = True
) -> go.Figure:
    """The trials of one arm by two hyperparameters, each on the scale it is searched on, coloured by rank, the best
    blue. surface: with the loss between them. chosen: as in `history`.
    """
    table = contour_table(studies, a, b)
    # The best trials last, so that they are drawn above the others.
    table = table.sorted(lambda row: -row[-1])
    x, y = (_positions(table, parameter) for parameter in (a, b))
    losses = np.array(table.values("Validation loss"), np.float64)
    traces: list[Any] = []
    if surface and len(table) >= FEWEST:
        traces += _surface(x, y, losses)
    keys = list(zip(table.values("Repeat"), table.values("Trial"), strict=True))
    traces.append(
        go.Scatter(
            x=x,
            y=y,
            customdata=[(repeat, number, first, second, loss) for repeat, number, first, second, loss, _ in table.rows],
            mode="markers",
            marker={
                "color": table.values("Rank"),
                "colorscale": [list(stop) for stop in RANKS],
                "cmin": 0,
                "cmax": 1,
                "size": 10,
                "opacity": opacities(keys, chosen),
                "line": {"width": 1, "color": "rgba(255, 255, 255, 0.8)"},
            },
            hovertemplate=(
                f"{a.key} %{{customdata[2]:.5g}}<br>{b.key} %{{customdata[3]:.5g}}<br>"
                f"validation loss %{{customdata[4]:{hovered(losses)}}}<br>"
                "repeat %{customdata[0]}, trial %{customdata[1]}<extra></extra>"
            ),
        )
    )
    return chart(
        traces,
        HEIGHT,
        legend=False,
        xaxis=position_axis(a),
        yaxis=position_axis(b),
    )


def _positions(table: Table, parameter: Parameter) -> NDArray[np.float64]:
    return np.array([parameter.position(value) for value in table.values(parameter.key)], np.float64)


def _surface(x: NDArray[np.float64], y: NDArray[np.float64], losses: NDArray[np.float64]) -> list[go.Contour]:
    """The losses (n,) at (n,) positions, linear between them; nothing where all are on one line."""
    from scipy.interpolate import griddata
    from scipy.spatial import QhullError

    heights = np.log10(losses) if wide(losses) else losses
    known = np.isfinite(heights)
    ends = np.linspace(0, 1, GRID)
    try:
        z = griddata((x[known], y[known]), heights[known], tuple(np.meshgrid(ends, ends)))
    except (QhullError, ValueError):
        return []
    ticks = np.linspace(np.nanmin(z), np.nanmax(z), 4)
    natural = 10**ticks if wide(losses) else ticks
    bar = {
        "title": {"text": "Validation<br>loss<br> "},
        "tickvals": ticks.tolist(),
        "ticktext": [f"{value:.3g}" for value in natural],
        "thickness": 12,
    }
    return [
        go.Contour(
            x=ends,
            y=ends,
            z=z,
            colorscale=[list(stop) for stop in SHADES],
            ncontours=14,
            line={"width": 0.5},
            colorbar=bar,
            hoverinfo="skip",
        )
    ]
