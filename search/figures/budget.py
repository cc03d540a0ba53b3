"""What a search's budget buys: the expected best loss of each arm after so many trials, or so much work."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from search.figures.layout import BAND, area, axis, chart, vertical
from search.figures.lines import faded, label, looks
from search.statistics.budget import BudgetCurve, Crossover

if TYPE_CHECKING:
    from pandas import DataFrame

Budget = Literal["trials", "gradient evaluations", "seconds"]

TITLES: dict[Budget, str] = {
    "trials": "Trials per repeat",
    "gradient evaluations": "Gradient evaluations per repeat (of single samples)",
    "seconds": "Seconds of training per repeat",
}

HEIGHT = 460


def budget(
    curves: Mapping[str, BudgetCurve],
    crossover: Crossover | None = None,
    pair: tuple[str, str] | None = None,
    x: Budget = "trials",
    log: bool = False,
) -> go.Figure:
    """The expected best validation loss of each arm against the budget, with its pointwise 95 % band.

    crossover: of `pair`, the trials from which its first arm is ahead; a line with words where x is "trials" and it is
    known, and an area from its earliest to its latest. log: whether the axis of the losses is logarithmic.
    """
    known, traces = looks(curves), []
    ends = _ends(curves, log)
    for arm, curve in curves.items():
        at, look = _budget_of(curve, x), known[arm]
        # Beyond the picture's edge an area may end anywhere; at 0 and below a logarithmic axis has no place for it.
        low = np.maximum(curve.low, ends[0] / 10) if ends and log else curve.low
        traces += area(at, low, curve.high, fillcolor=faded(look.colour, 0.1 * look.opacity), legendgroup=arm)
        traces.append(
            go.Scatter(
                x=at,
                y=np.where(np.isfinite(curve.expected), curve.expected, np.nan),
                customdata=np.stack([curve.trials, curve.low, curve.high], axis=-1),
                mode="lines" if len(at) > 1 else "markers",
                line={**look.line, "width": 2},
                marker={**look.marker, "size": 9},
                opacity=look.opacity,
                name=label(arm),
                legendgroup=arm,
                hovertemplate=(
                    "%{y:.4g} after %{customdata[0]} trials<br>95 % interval: %{customdata[1]:.4g} to "
                    "%{customdata[2]:.4g}<extra>%{fullData.name}</extra>"
                ),
            )
        )
    marks = _crossover(crossover, pair) if crossover and pair and x == "trials" else {}
    range_ = {"range": np.log10(ends).tolist() if log else list(ends)} if ends else {}
    return chart(
        traces,
        HEIGHT,
        xaxis=axis(TITLES[x]),
        yaxis=axis("Expected best validation loss", log=log, **range_),
        **marks,
    )


def budget_table(curves: Mapping[str, BudgetCurve]) -> "DataFrame":
    """The numbers of `budget` in all units of the budget: a row for each arm and number of trials."""
    from pandas import DataFrame, concat

    columns = ["Arm", "Trials", "Gradient evaluations", "Seconds", "Expected best", "Low", "High"]
    tables = [
        DataFrame(
            dict(
                zip(
                    columns,
                    (arm, *(_budget_of(curve, unit) for unit in TITLES), curve.expected, curve.low, curve.high),
                    strict=True,
                )
            )
        )
        for arm, curve in curves.items()
    ]
    return concat(tables, ignore_index=True) if tables else DataFrame(columns=columns)


def _budget_of(curve: BudgetCurve, x: Budget) -> NDArray[Any]:
    return {"trials": curve.trials, "gradient evaluations": curve.gradient_evaluations, "seconds": curve.seconds}[x]


def _crossover(crossover: Crossover, pair: tuple[str, str]) -> dict[str, Any]:
    """The shapes and words for it; none where it is not known."""
    if crossover.trials is None:
        return {}
    shapes = [vertical(crossover.trials, dash="dash", width=2)]
    if crossover.earliest is not None and crossover.latest is not None:
        # An area of no width is no area.
        shapes.append(
            {
                **vertical(crossover.earliest),
                "type": "rect",
                "x1": crossover.latest,
                "fillcolor": BAND,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    text = f"from trial {crossover.trials} on<br>{label(pair[0])} is ahead of {label(pair[1])}"
    return {
        "shapes": shapes,
        "annotations": [
            {
                "x": crossover.trials,
                "xanchor": "left",
                "xshift": 6,
                "y": 1,
                "yref": "y domain",
                "yanchor": "top",
                "align": "left",
                "showarrow": False,
                "text": text,
            }
        ],
    }


def _ends(curves: Mapping[str, BudgetCurve], log: bool) -> tuple[float, float] | None:
    """The ends of the losses' axis: around the curves themselves, as the band of few repeats would dwarf them."""
    values = np.concatenate([curve.expected for curve in curves.values()]) if curves else np.empty(0)
    values = values[np.isfinite(values) & (values > 0)] if log else values[np.isfinite(values)]
    if not values.size:
        return None
    least, most = float(values.min()), float(values.max())
    if log:
        margin = max(most / least, 1.1) ** 0.15
        return least / margin, most * margin
    margin = 0.15 * max(most - least, 0.1 * abs(most))
    return least - margin, most + margin
