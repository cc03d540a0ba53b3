"""The answer in pictures: every pair's difference with its interval, the repeats behind it, and who gets the credit."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from cooldown.search.evidence.credit import CreditSplit
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import BAND, GREY, axis, chart, rows, zero_line
from cooldown.search.figures.lines import faded, label, looks, whole
from cooldown.search.statistics.intervals import Interval
from cooldown.search.statistics.verdict import Verdict

FOREST_CAPTION = (
    "Difference of test loss, first arm minus second: a dot left of 0 favours the first arm. A pair is decided where "
    "its whole interval lies outside the shaded band, and a tie where it lies inside. With many pairs, intervals "
    "decide only after a correction for their number."
)

RIM = "rgba(128, 128, 128, 0.6)"
"""The edge of a dot."""

FALLS, RISES = "#35978F", "#BF812D"
"""Of a loss that gets lower, and higher; no optimizer's. Source: ColorBrewer's BrBG."""


def forest(verdicts: Sequence[Verdict]) -> go.Figure:
    """The difference of each pair with its 95 % interval, a row for each, the primary pair on top and bold.

    Behind each is its tie band. A decided pair has its winner's colour and symbol, an undecided one a grey circle, a
    tie an open one; a pair without a difference yet has a row and no marker.
    """
    ordered = _primary_first(verdicts)
    known = looks(dict.fromkeys(arm for verdict in ordered for arm in (verdict.a, verdict.b)))
    traces, shapes = [], []
    for row, verdict in enumerate(ordered):
        if verdict.difference is None or verdict.low is None or verdict.high is None:
            continue
        if verdict.band:
            shapes.append(_box(-verdict.band, verdict.band, row))
        winner = _winner(verdict)
        marker = known[winner].marker if winner else {"color": GREY, "symbol": _undecided_symbol(verdict)}
        traces.append(
            go.Scatter(
                x=[verdict.difference],
                y=[row],
                mode="markers",
                marker={**marker, "size": 11, "line": {"width": 2, "color": marker["color"]}},
                error_x=_whisker(verdict.difference, verdict.low, verdict.high, marker["color"]),
                name=_pair(verdict),
                hovertemplate=(
                    f"{whole(verdict.a)}<br>vs {whole(verdict.b)}<br>difference %{{x:.4g}}<br>"
                    f"95 % interval: {verdict.low:.4g} to {verdict.high:.4g}<br>"
                    f"tie band: ±{verdict.band or 0:.4g}<extra></extra>"
                ),
            )
        )
    return chart(
        traces,
        len(ordered) * 40 + 120,
        legend=False,
        shapes=shapes,
        annotations=_directions() if traces else [],
        xaxis=axis("Difference of test loss", **zero_line()),
        yaxis=rows([_row_label(verdict) for verdict in ordered], "Pair of arms"),
    )


def forest_table(verdicts: Sequence[Verdict]) -> Table:
    """The numbers of `forest`, a row for each pair in its order."""
    return Table(
        (
            Column("First", Form.ARM),
            Column("Second", Form.ARM),
            Column("Verdict"),
            *(Column(title, Form.DIFFERENCE) for title in ("Difference", "Low", "High")),
            Column("Tie band", Form.LOSS),
            Column("Primary"),
        ),
        [(v.a, v.b, v.verdict, v.difference, v.low, v.high, v.band, v.primary) for v in _primary_first(verdicts)],
        FOREST_CAPTION,
    )


def repeats(
    values: Mapping[str, Mapping[int, float]], title: str, *, best: Literal["lowest", "highest"] = "lowest"
) -> go.Figure:
    """Every repeat's mean as a dot and each arm's mean as a tick, a row for each arm, the best on top.

    values: by arm and repeat. title: what they are, as "Test loss". best: which of them are good. An arm without a
    finite value has a row at the bottom.
    """
    ranked, means = _ranked(values, best), _means(values)
    known, traces = looks(values), []
    for row, arm in enumerate(ranked):
        own, marker = values[arm], known[arm].marker
        traces.append(
            go.Scatter(
                x=list(own.values()),
                y=[row] * len(own),
                customdata=list(own),
                mode="markers",
                # A rim in the page's own grey parts dots that lie on each other, on white and on black.
                marker={**marker, "size": 10, "opacity": 0.9, "line": {"width": 1, "color": RIM}},
                name=label(arm),
                hovertemplate=f"repeat %{{customdata}}: %{{x:.4g}}<br>{whole(arm)}<extra></extra>",
            )
        )
        traces.append(
            go.Scatter(
                x=[means[arm]],
                y=[row],
                mode="markers",
                marker={"symbol": "line-ns-open", "size": 24, "color": marker["color"], "line": {"width": 3}},
                name=label(arm),
                hovertemplate=f"mean of {len(own)}: %{{x:.4g}}<br>{whole(arm)}<extra></extra>",
            )
        )
    return chart(
        traces,
        len(ranked) * 36 + 100,
        legend=False,
        xaxis=axis(f"{escape(title)} (dots: repeats, bars: their mean)"),
        yaxis=rows([label(arm) for arm in ranked], "Arm", showgrid=True),
    )


def repeats_table(
    values: Mapping[str, Mapping[int, float]], title: str, *, best: Literal["lowest", "highest"] = "lowest"
) -> Table:
    """The numbers of `repeats`: a row for each arm in its order, with its mean and a column for each repeat."""
    means = _means(values)
    numbers = sorted({repeat for of_arm in values.values() for repeat in of_arm})
    form = Form.LOSS if best == "lowest" else Form.SCORE
    return Table(
        (
            ARM,
            Column(f"Mean {title[:1].lower()}{title[1:]}", form),
            *(Column(f"Repeat {repeat}", form) for repeat in numbers),
        ),
        [(arm, means[arm], *(values[arm].get(repeat) for repeat in numbers)) for arm in _ranked(values, best)],
        repeats_caption(best),
    )


def repeats_caption(best: Literal["lowest", "highest"]) -> str:
    """How `repeats` is read."""
    return (
        "Each dot is one repeat, an independent tuning: the mean of its winner over fresh seeds. The tick is the mean "
        f"of the repeats; the {best} is best."
    )


def credit(shares: Mapping[str, Interval]) -> go.Figure:
    """What each factor adds to the test loss, as bars with their 95 % intervals, in the order given.

    shares: by name, as `CreditSplit.shares`, with a "total" or without, or as `spoken_effects` gives them;
    below 0 the loss falls.
    """
    names, intervals = list(shares), list(shares.values())
    bars = []
    for row, each in enumerate(intervals):
        colour = FALLS if each.estimate < 0 else RISES
        bars.append(
            go.Bar(
                x=[each.estimate],
                y=[row],
                orientation="h",
                width=0.6,
                # Pale, as the half of a whisker that lies on the bar is to be seen too.
                marker={"color": faded(colour, 0.45), "line": {"color": colour, "width": 1}},
                error_x=_whisker(each.estimate, each.low, each.high, colour),
                hovertemplate=(f"%{{x:+.4g}}<br>95 % interval: {each.low:.4g} to {each.high:.4g}<extra></extra>"),
            )
        )
    return chart(
        bars,
        len(names) * 44 + 90,
        legend=False,
        xaxis=axis("Change of test loss (below 0: it falls)", **zero_line()),
        yaxis=rows([_factor(name) for name in names], "Factor"),
    )


def _factor(name: str) -> str:
    """Its name with a capital, in two lines where it is long; in bold what the others add up to."""
    told = escape(f"{name[:1].upper()}{name[1:]}").replace(", ", ",<br>")
    return f"<b>{told}</b>" if name == "total" else told


def credit_table(shares: Mapping[str, Interval], caption: str = "") -> Table:
    """The numbers of `credit`, a row for each factor."""
    return Table(
        (Column("Factor"), *(Column(title, Form.DIFFERENCE) for title in ("Change of test loss", "Low", "High"))),
        [(name, share.estimate, share.low, share.high) for name, share in shares.items()],
        caption,
    )


def credit_caption(split: CreditSplit) -> str:
    """How `credit` of the shares of a split is read."""
    return (
        f"The change from {split.first} to {split.other}, divided among the three things that change. Negative values "
        "lower the loss. The bars add up to the total; the whiskers are 95 % intervals."
    )


def _directions() -> list[dict[str, object]]:
    """Words above the rows, at both ends: which side speaks for whom."""
    sides = ((0, "left", "← first"), (1, "right", "second →"))
    return [
        {
            "x": x,
            "xref": "x domain",
            "xanchor": anchor,
            "y": 1,
            "yref": "y domain",
            "yanchor": "bottom",
            "showarrow": False,
            "text": text,
        }
        for x, anchor, text in sides
    ]


def _primary_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda verdict: not verdict.primary)


def _winner(verdict: Verdict) -> str | None:
    return {"a_better": verdict.a, "b_better": verdict.b}.get(verdict.verdict)


def _undecided_symbol(verdict: Verdict) -> str:
    return "circle-open" if verdict.verdict == "tie" else "circle"


def _pair(verdict: Verdict) -> str:
    return f"{label(verdict.a)} vs {label(verdict.b)}"


def _row_label(verdict: Verdict) -> str:
    """The pair, and below it what was decided."""
    winner = _winner(verdict)
    told = f"{label(winner)} is better" if winner else verdict.verdict
    if verdict.difference is None:
        told = "not compared yet"
    pair = f"<b>{_pair(verdict)}</b>" if verdict.primary else _pair(verdict)
    return f"{pair}<br><i>{told}</i>"


def _whisker(estimate: float, low: float, high: float, colour: str) -> dict[str, object]:
    """An interval around one estimate."""
    return {
        "array": [high - estimate],
        "arrayminus": [estimate - low],
        "color": colour,
        "thickness": 2,
        "width": 6,
    }


def _box(low: float, high: float, row: int) -> dict[str, object]:
    """The shape of an area behind one row."""
    return {
        "type": "rect",
        "x0": low,
        "x1": high,
        "y0": row - 0.42,
        "y1": row + 0.42,
        "fillcolor": BAND,
        "line": {"width": 0},
        "layer": "below",
    }


def _means(values: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """The mean over the repeats; NaN for an arm without any."""
    return {arm: float(np.mean(list(own.values()))) if own else np.nan for arm, own in values.items()}


def _ranked(values: Mapping[str, Mapping[int, float]], best: Literal["lowest", "highest"]) -> list[str]:
    sign = 1 if best == "lowest" else -1
    return sorted(values, key=lambda arm: sign * mean if np.isfinite(mean := _means(values)[arm]) else np.inf)
