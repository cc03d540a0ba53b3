"""Learning curves: loss and executed learning rate of the arms' winners or of a trial, as far as they are trained."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.learning import Amount, ArmCurves, band
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import area, axis, chart, hovered
from cooldown.search.figures.lines import Look, faded, label, looks, whole

Losses = Literal["validation", "training"]

TITLES: dict[Amount, str] = {
    "epochs": "Epochs",
    "updates": "Updates",
    "gradient evaluations": "Gradient evaluations (of single samples)",
    "simulated time": "Simulated time (a mean gradient = 1)",
    "seconds": "Seconds of training",
}

FORMS: dict[Amount, Form] = {
    **dict.fromkeys(TITLES, Form.COUNT),
    "simulated time": Form.READING,
    "seconds": Form.SECONDS,
}
"""How these are written."""

BAND_CAPTION = (
    "Lines are medians, bands the middle half. The lower chart shows the learning rate on the same x-axis, as it was "
    "executed by one replicate of each arm, the one whose final loss is the median."
)
CAPTION = f"The winners of all repeats with their further seeds. {BAND_CAPTION}"

HEIGHT = 560

MARKERS = 8
"""About how many markers a line has."""

ABOVE_UNINFORMED = 1.5
"""The upper end of the loss axis at most, in units of the baseline loss."""

DECADES = 1.5
"""Length, in powers of ten, from which on the rate axis has ticks only at powers of ten."""

LOWEST_RATE = 1e-3
"""The lower end of the rate axis at least, as a share of the lowest of the arms' peak rates."""


def learning(
    curves: Mapping[str, ArmCurves],
    *,
    losses: Losses = "validation",
    x: Amount = "epochs",
    log_loss: bool = True,
    log_x: bool = False,
    replicates: bool = False,
) -> go.Figure:
    """Top: the loss of each arm, the median over its replicates with a band of their middle half. Bottom: the
    learning rate as the replicate with the median final loss executed it, on a logarithmic axis.

    curves: by arm, as `winners_curves` gives them. x: the unit of progress, one of `AMOUNTS`. replicates: every
    replicate as a thin line in place of the band. A diverged replicate counts as worse than any other, as in `band`.
    """
    known, traces = looks(curves), []
    for arm, arm_curves in curves.items():
        traces += _loss_traces(arm, arm_curves, x, losses, known[arm], replicates)
        traces.append(_rate_trace(arm, arm_curves, x, known[arm]))
    ends = _ends(curves, losses)
    loss_range: dict[str, Any] = {}
    if ends:
        loss_range = {"range": np.log10(ends).tolist() if log_loss and ends[0] > 0 else [0, ends[1]]}
    return chart(
        traces,
        HEIGHT,
        xaxis=axis(TITLES[x], log=log_x, anchor="y2"),
        yaxis=axis(f"{losses.capitalize()} loss", log=log_loss, domain=[0.4, 1], **loss_range),
        yaxis2=axis("Learning rate", log=True, domain=[0, 0.34], **_rate_range(curves)),
    )


def learning_table(curves: Mapping[str, ArmCurves], losses: Losses = "validation") -> Table:
    """The numbers of `learning` in all units of progress: a row for each arm and epoch."""
    rows = []
    for arm, arm_curves in curves.items():
        progress = (arm_curves.axes[amount] for amount in TITLES)
        numbers = [*progress, arm_curves.staleness, *_loss_band(arm_curves, losses), _rate(arm_curves)]
        rows += [(arm, *row) for row in zip(*(column.tolist() for column in numbers), strict=True)]
    return Table(
        (
            ARM,
            *(Column(amount.capitalize(), form) for amount, form in FORMS.items()),
            Column("Mean staleness", Form.READING),
            *(Column(title, Form.LOSS) for title in ("Median loss", "Lower quartile", "Upper quartile")),
            Column("Learning rate", Form.READING),
        ),
        rows,
        CAPTION,
    )


def _loss_band(arm_curves: ArmCurves, losses: Losses) -> tuple[NDArray[np.float64], ...]:
    return band(arm_curves.validation if losses == "validation" else arm_curves.train, arm_curves.diverged)


def _loss_traces(
    arm: str, arm_curves: ArmCurves, x: Amount, losses: Losses, look: Look, replicates: bool
) -> list[go.Scatter]:
    at = arm_curves.axes[x]
    median, low, high = _loss_band(arm_curves, losses)
    behind = _replicates(arm, arm_curves, x, losses, look) if replicates else []
    if not replicates:
        # Where a quartile is a diverged run, the area's edge is above the visible range.
        top = np.where(np.isinf(high), np.nanmax([*high[np.isfinite(high)], arm_curves.uninformed_loss]) * 10, high)
        behind = area(at, low, top, fillcolor=faded(look.colour, 0.13 * look.opacity), legendgroup=arm)
    return [
        *behind,
        go.Scatter(
            x=at,
            y=np.where(np.isfinite(median), median, np.nan),
            customdata=np.stack([low, high], axis=-1),
            name=label(arm),
            legendgroup=arm,
            opacity=look.opacity,
            hovertemplate=(
                f"{_hover(losses, x, median)}, the median<br>"
                f"quartiles %{{customdata[0]:{hovered(low)}}} and %{{customdata[1]:{hovered(high)}}}<br>"
                f"{whole(arm)}<extra></extra>"
            ),
            **_drawn(at, look),
        ),
    ]


def _replicates(arm: str, arm_curves: ArmCurves, x: Amount, losses: Losses, look: Look) -> list[go.Scatter]:
    """All replicates as one trace, with a gap after each."""
    at = arm_curves.axes[x]
    values = arm_curves.validation if losses == "validation" else arm_curves.train
    gap = np.full((len(values), 1), np.nan)
    who = np.repeat(np.stack([arm_curves.repeat, arm_curves.seed], axis=-1), len(at) + 1, axis=0)
    return [
        go.Scatter(
            x=np.hstack([np.tile(at, (len(values), 1)), gap]).ravel(),
            y=np.hstack([values, gap]).ravel(),
            customdata=who,
            mode="lines" if len(at) > 1 else "markers",
            line={"color": look.colour, "width": 0.7},
            marker={"color": look.colour, "size": 4},
            opacity=0.45 * look.opacity,
            name=label(arm),
            legendgroup=arm,
            showlegend=False,
            hovertemplate=(
                f"{_hover(losses, x, values)}<br>repeat %{{customdata[0]}}, seed %{{customdata[1]}}<br>"
                f"{whole(arm)}<extra></extra>"
            ),
        )
    ]


def _rate_trace(arm: str, arm_curves: ArmCurves, x: Amount, look: Look) -> go.Scatter:
    at, shown = arm_curves.axes[x], arm_curves.typical
    return go.Scatter(
        x=at,
        y=_rate(arm_curves),
        yaxis="y2",
        name=label(arm),
        legendgroup=arm,
        showlegend=False,
        opacity=look.opacity,
        hovertemplate=f"learning rate %{{y:.3g}} after {amount(x)}<br>repeat {arm_curves.repeat[shown]}, "
        f"seed {arm_curves.seed[shown]}<br>{whole(arm)}<extra></extra>",
        **_drawn(at, look),
    )


def _hover(losses: Losses, x: Amount, values: NDArray[np.float64]) -> str:
    return f"{losses} loss %{{y:{hovered(values)}}} after {amount(x)}"


def amount(x: Amount) -> str:
    """How far a run is, in hover texts."""
    # The browser's formats have no other below and above 1,000.
    form = ",.1f" if FORMS[x] is Form.READING else FORMS[x].value
    return f"%{{x:{form}}} {x}"


def _rate(arm_curves: ArmCurves) -> NDArray[np.float64]:
    """(epochs,) the learning rate as one replicate executed it."""
    return np.asarray(arm_curves.rate[arm_curves.typical], np.float64)


def _drawn(at: NDArray[np.float64], look: Look) -> dict[str, Any]:
    """The look of a line with a few markers, to tell it apart without its colour; of one epoch, a marker."""
    if len(at) > 1:
        marker = {**look.marker, "size": 7, "maxdisplayed": MARKERS}
        return {"mode": "lines+markers", "line": {**look.line, "width": 2}, "marker": marker}
    return {"mode": "markers", "marker": {**look.marker, "size": 9}}


def _rate_range(curves: Mapping[str, ArmCurves]) -> dict[str, Any]:
    """The range of the rate axis, without the last update of an annealing, whose rate is almost 0."""
    executed = [_rate(arm_curves) for arm_curves in curves.values()]
    peaks = [float(np.nanmax(rates)) for rates in executed if not np.isnan(rates).all()]
    peaks = [peak for peak in peaks if peak > 0]
    if not peaks:
        return {}
    every = np.concatenate(executed)
    least = max(float(every[every > 0].min()), LOWEST_RATE * min(peaks))
    low, high = np.log10([0.7 * least, 1.4 * max(peaks)]).tolist()
    # A tick for each power of ten; on a short axis also at 2 and 5 times one.
    return {"range": [low, high], "dtick": 1 if high - low > DECADES else "D2"}


def _ends(curves: Mapping[str, ArmCurves], losses: Losses) -> tuple[float, float] | None:
    """The ends of the loss axis: around all losses that are drawn, except those far above the baseline loss."""
    arrays = [arm_curves.validation if losses == "validation" else arm_curves.train for arm_curves in curves.values()]
    values = np.concatenate([array.ravel() for array in arrays]) if arrays else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    most = ABOVE_UNINFORMED * max(arm_curves.uninformed_loss for arm_curves in curves.values())
    return 0.85 * float(values.min()), 1.1 * min(float(values.max()), most)
