"""The value of a search budget: the expected best loss of each arm after a number of trials or an amount of work."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.budgets import PairedComparison, independent
from cooldown.search.evidence.numbers import Form, counted, formatted, interval
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.view import View
from cooldown.search.figures.layout import BAND, GREY, area, axis, chart, horizontal, hovered, vertical
from cooldown.search.figures.lines import faded, label, looks, whole
from cooldown.search.statistics.budget import BudgetCurve, Crossover

Budget = Literal["trials", "gradient evaluations", "seconds"]

TITLES: dict[Budget, str] = {
    "trials": "Trials per repeat",
    "gradient evaluations": "Gradient evaluations per repeat",
    "seconds": "Seconds of training per repeat",
}

HEIGHT = 460
HEIGHT_OF_DIFFERENCE = 320


def budget(
    curves: Mapping[str, BudgetCurve],
    crossover: Crossover | None = None,
    pair: tuple[str, str] | None = None,
    x: Budget = "trials",
    log: bool = False,
    log_x: bool = False,
    height: int = HEIGHT,
) -> go.Figure:
    """The expected best validation loss of each arm against the budget, with its pointwise 95 % band.

    crossover: the trials from which on the first arm of `pair` is ahead: where x is "trials" and it is known, a line
    with a label, and an area from its earliest to its latest. log, log_x: whether the loss axis, and the budget axis,
    is logarithmic. height: in pixels.
    """
    known, traces = looks(curves), []
    ends = _ends(curves, log)
    for arm, curve in curves.items():
        at, look, form = _budget_of(curve, x), known[arm], hovered(curve.expected)
        # The band of few repeats can be many times as wide as the curves are apart: it ends with the axis.
        low, high = (np.clip(end, *ends) if ends else end for end in (curve.low, curve.high))
        traces += area(at, low, high, fillcolor=faded(look.colour, 0.1 * look.opacity), legendgroup=arm)
        traces.append(
            go.Scatter(
                x=at,
                y=np.where(np.isfinite(curve.expected), curve.expected, np.nan),
                customdata=[
                    (counted(trials, "trial"), low, high)
                    for trials, low, high in zip(
                        curve.trials.tolist(), curve.low.tolist(), curve.high.tolist(), strict=True
                    )
                ],
                mode="lines" if len(at) > 1 else "markers",
                line={**look.line, "width": 2},
                marker={**look.marker, "size": 9},
                opacity=look.opacity,
                name=label(arm),
                legendgroup=arm,
                hovertemplate=(
                    f"expected best loss %{{y:{form}}} after %{{customdata[0]}}<br>"
                    f"95 % interval [%{{customdata[1]:{form}}}, %{{customdata[2]:{form}}}]<br>"
                    f"{whole(arm)}<extra></extra>"
                ),
            )
        )
    marks = _crossover(crossover, pair, log_x) if crossover and pair and x == "trials" else {}
    range_ = {"range": np.log10(ends).tolist() if log else list(ends)} if ends else {}
    return chart(
        traces,
        height,
        xaxis=_budget_axis(x, log_x),
        yaxis=axis("Expected best validation loss", log=log, **range_),
        **marks,
    )


def budget_table(curves: Mapping[str, BudgetCurve], caption: str = "") -> Table:
    """The numbers of `budget` in all units of the budget: a row for each arm and number of trials."""
    rows = [
        (arm, *numbers)
        for arm, curve in curves.items()
        for numbers in zip(
            *(_budget_of(curve, unit).tolist() for unit in TITLES),
            curve.expected.tolist(),
            curve.low.tolist(),
            curve.high.tolist(),
            strict=True,
        )
    ]
    return Table(
        (
            ARM,
            Column("Trials", Form.COUNT),
            Column("Gradient evaluations", Form.COUNT),
            Column("Seconds", Form.SECONDS),
            *(Column(title, Form.LOSS) for title in ("Expected best", "Low", "High")),
        ),
        rows,
        caption,
    )


def budget_caption(view: View) -> str:
    """How to read `budget`, which depends on the sampler."""
    how = (
        "the mean minimum over all subsets of that many trials"
        if independent(view)
        else "the best so far, in the order of the search"
    )
    return (
        f"Expected best validation loss if the search ended there: {how}. The line is the mean over repeats, the "
        "band its pointwise 95 % interval. The best of many trials is partly luck: compare searches by these curves, "
        "and results by test loss."
    )


def budget_comparison(paired: PairedComparison, pair: tuple[str, str], log_x: bool = False) -> go.Figure:
    """The ratio of the expected best losses of `pair` by trials, first to second, on a log axis with its pointwise 95 %
    band: below 1 the first arm is ahead. Where some loss is not above 0, their difference, and 0.
    """
    a, b = map(label, pair)
    ratio = paired.scale == "ratio"
    form, equal = (Form.RATIO, 1.0) if ratio else (Form.DIFFERENCE, 0.0)
    sides = ((1, "top", f"{b} ahead ↑"), (0, "bottom", f"{a} ahead ↓"))
    return chart(
        [
            *area(paired.trials.astype(np.float64), paired.low, paired.high, fillcolor=BAND),
            go.Scatter(
                x=paired.trials,
                y=np.where(np.isfinite(paired.value), paired.value, np.nan),
                # As texts: plotly's number formats have another minus sign.
                text=[
                    f"{paired.scale} {formatted(value, form)} after {counted(trials, 'trial')}<br>"
                    f"95 % interval {interval(low, high, form)}"
                    for trials, value, low, high in budget_comparison_table(paired).rows
                ],
                mode="lines" if len(paired.trials) > 1 else "markers",
                line={"color": GREY, "width": 2},
                marker={"color": GREY, "size": 9},
                name=paired.scale,
                hovertemplate=f"%{{text}}<br>{whole(pair[0])}<br>vs {whole(pair[1])}<extra></extra>",
            ),
        ],
        HEIGHT_OF_DIFFERENCE,
        legend=False,
        xaxis=_budget_axis("trials", log_x),
        yaxis=axis(f"Paired {paired.scale}", log=ratio),
        shapes=[horizontal(equal)],
        annotations=[
            {
                "x": 1,
                "xref": "x domain",
                "xanchor": "right",
                "y": y,
                "yref": "y domain",
                "yanchor": anchor,
                "showarrow": False,
                "text": text,
            }
            for y, anchor, text in sides
        ],
    )


def budget_comparison_table(paired: PairedComparison) -> Table:
    """The numbers of `budget_comparison`: a row for each number of trials."""
    columns = (paired.trials, paired.value, paired.low, paired.high)
    form = Form.RATIO if paired.scale == "ratio" else Form.DIFFERENCE
    return Table(
        (
            Column("Trials", Form.COUNT),
            *(Column(title, form) for title in (paired.scale.capitalize(), "Low", "High")),
        ),
        list(zip(*(column.tolist() for column in columns), strict=True)),
    )


def _budget_axis(x: Budget, log: bool) -> dict[str, Any]:
    """The budget axis; large numbers as thousands (k) and millions (M)."""
    ticks: dict[str, Any] = {"tickformat": "~s", "nticks": 8} if log or x == "gradient evaluations" else {}
    return axis(TITLES[x], log=log, **ticks)


def _budget_of(curve: BudgetCurve, x: Budget) -> NDArray[Any]:
    return {"trials": curve.trials, "gradient evaluations": curve.gradient_evaluations, "seconds": curve.seconds}[x]


def _crossover(crossover: Crossover, pair: tuple[str, str], log_x: bool) -> dict[str, Any]:
    """Its shapes and label; none where it is not known. A label on a logarithmic axis is placed at the logarithm."""
    # Where the interval reaches from the first trial to never, there is no crossover to show.
    open_ = crossover.repeats > 1 and crossover.earliest == 1 and crossover.latest is None
    if crossover.trials is None or open_:
        return {}
    shapes = [vertical(crossover.trials, dash="dash", width=2)]
    if crossover.earliest is not None and crossover.latest is not None:
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
                "x": float(np.log10(crossover.trials)) if log_x else crossover.trials,
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
    """The ends of the loss axis: around the curves and their bands, as far as these are not much wider."""
    values = _known([curve.expected for curve in curves.values()], log)
    bands = _known([end for curve in curves.values() for end in (curve.low, curve.high)], log)
    if not values.size:
        return None
    least, most = float(values.min()), float(values.max())
    # At most as far beyond the curves as these reach.
    reach = max(most / least, 2.0) if log else max(most - least, 0.5 * abs(most))
    if bands.size:
        lowest, highest = (least / reach, most * reach) if log else (least - reach, most + reach)
        least, most = min(least, max(float(bands.min()), lowest)), max(most, min(float(bands.max()), highest))
    if log:
        margin = max(most / least, 1.1) ** 0.15
        return least / margin, most * margin
    margin = 0.15 * max(most - least, 0.1 * abs(most))
    return least - margin, most + margin


def _known(arrays: Sequence[NDArray[np.float64]], log: bool) -> NDArray[np.float64]:
    """Their numbers that an axis can show."""
    values = np.concatenate([np.empty(0), *arrays])
    return np.asarray(values[np.isfinite(values) & ((values > 0) | (not log))], np.float64)
