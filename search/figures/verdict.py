"""Charts of the answer: every pair's ratio of losses with its intervals, all repeats, the contributions to the gain."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.evidence.credit import CreditSplit
from cooldown.search.evidence.numbers import Form, confidence, formatted, interval
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.tables import WORDS
from cooldown.search.figures.layout import BAND, GREY, axis, chart, rows, vertical, zero_line
from cooldown.search.figures.lines import Look, faded, folded, label, looks, whole
from cooldown.search.statistics.intervals import Interval
from cooldown.search.statistics.verdict import Verdict

FOREST_CAPTION = (
    "Test loss of the first arm compared with that of the second: a marker on the left favours the first arm. It has "
    "the colour of the arm that is ahead, and is full where that is decided. One arm is better if the whole interval "
    "is on its side of the line. Two arms are practically equal if the narrower interval, the thick part, is inside "
    "the shaded margin. The first pair has its own intervals; those of the others are wider, so that they hold "
    "simultaneously."
)

RIM = "rgba(128, 128, 128, 0.6)"
"""The edge of a dot."""

FALLS, RISES = "#35978F", "#BF812D"
"""Of a loss that falls, and of one that rises; no optimizer has these. Source: ColorBrewer's BrBG."""


def forest_title(verdicts: Sequence[Verdict]) -> str:
    """What the forest of these pairs shows."""
    return "Ratio of test losses by pair" if _ratios(verdicts) else "Difference of test losses by pair"


def forest(verdicts: Sequence[Verdict]) -> go.Figure:
    """The ratio of each pair's losses on a log axis with its intervals, a row for each, the primary pair on top and
    bold; their differences, where some loss is not above 0.

    The thin line is the interval that decides which is better, the thick one that which decides about equality, for
    which it must be inside the margin behind it. A pair has the colour and symbol of the arm that is ahead, which are
    full where it is decided to be better, and open where it is not; a tie is a grey open circle, and a pair that is not
    compared yet has a row and no marker.
    """
    ordered, ratios = _primary_first(verdicts), _ratios(verdicts)
    known = looks(dict.fromkeys(arm for verdict in ordered for arm in (verdict.a, verdict.b)))
    traces, shapes = [], []
    for row, verdict in enumerate(ordered):
        value = verdict.ratio if ratios else verdict.difference
        if value is None or verdict.low is None or verdict.high is None:
            continue
        if verdict.margin_low is not None and verdict.margin_high is not None:
            shapes.append(_box(verdict.margin_low, verdict.margin_high, row))
        marker = decided_marker(verdict, known)
        traces.append(
            go.Scatter(
                x=[value],
                y=[row],
                mode="markers",
                marker=marker,
                error_x=whisker(value, verdict.low, verdict.high, marker["color"]),
                name=_pair(verdict),
                hovertemplate=hover(verdict, value),
            )
        )
        if verdict.equal_low is not None and verdict.equal_high is not None:
            traces.append(
                go.Scatter(
                    x=[verdict.equal_low, verdict.equal_high],
                    y=[row, row],
                    mode="lines",
                    line={"width": 5, "color": marker["color"]},
                    opacity=0.5,
                    name=_pair(verdict),
                    hoverinfo="skip",
                )
            )
    if ratios:
        title, scale = "Loss ratio, first / second arm", {"log": True, **_ticks(ordered)}
        shapes.append(vertical(1.0))
    else:
        title, scale = "Loss difference, first − second arm", zero_line()
    return chart(
        traces,
        len(ordered) * 56 + 120,
        legend=False,
        shapes=shapes,
        annotations=_directions() if traces else [],
        xaxis=axis(title, **scale),
        yaxis=rows([_row_label(verdict) for verdict in ordered]),
    )


def _ticks(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """More ticks for a log axis of less than a decade, on which plotly sets them evenly: as many as fit a phone."""
    ends = [end for verdict in verdicts for end in (verdict.low, verdict.high, verdict.margin_low) if end]
    return {"nticks": 4} if ends and max(ends) < 4 * min(ends) else {}


def _ratios(verdicts: Sequence[Verdict]) -> bool:
    """Whether pairs are compared by ratios: all of an experiment's are, or none."""
    return all(verdict.scale == "ratio" for verdict in verdicts)


def hover(verdict: Verdict, value: float) -> str:
    """Everything about a pair, for its hover text."""
    form, what = (Form.RATIO, "ratio") if verdict.scale == "ratio" else (Form.DIFFERENCE, "difference")
    wide, narrow = (f"{confidence(times * (verdict.level or 0.0))} interval" for times in (1, 2))
    return (
        f"{whole(verdict.a)}<br>vs {whole(verdict.b)}<br>"
        f"{what} {formatted(value, form)}<br>"
        f"{wide} {interval(verdict.low, verdict.high, form)}<br>"
        f"{narrow} {interval(verdict.equal_low, verdict.equal_high, form)}<br>"
        f"margin {interval(verdict.margin_low, verdict.margin_high, form)}<br>"
        f"first ahead in {verdict.wins} of {verdict.repeats} repeats<extra></extra>"
    )


def repeats(
    values: Mapping[str, Mapping[int, float]], title: str, *, best: Literal["lowest", "highest"] = "lowest"
) -> go.Figure:
    """Every repeat's mean as a dot and each arm's mean as a tick, a row for each arm, the best on top.

    values: by arm and repeat. title: what they are, such as "Test loss". best: which values are best. An arm without a
    finite value has a row at the bottom.
    """
    ranked, means = _ranked(values, best), _means(values)
    known, traces, form = looks(values), [], _form(best)
    for row, arm in enumerate(ranked):
        by_repeat, marker = values[arm], known[arm].marker
        traces.append(
            go.Scatter(
                x=list(by_repeat.values()),
                y=[row] * len(by_repeat),
                customdata=[(repeat, formatted(value, form)) for repeat, value in by_repeat.items()],
                mode="markers",
                # A grey rim separates overlapping dots, on white and on black.
                marker={**marker, "size": 10, "opacity": 0.9, "line": {"width": 1, "color": RIM}},
                name=label(arm),
                hovertemplate=f"repeat %{{customdata[0]}}: %{{customdata[1]}}<br>{whole(arm)}<extra></extra>",
            )
        )
        traces.append(
            go.Scatter(
                x=[means[arm]],
                y=[row],
                mode="markers",
                marker={"symbol": "line-ns-open", "size": 24, "color": marker["color"], "line": {"width": 3}},
                name=label(arm),
                hovertemplate=f"mean of {len(by_repeat)}: {formatted(means[arm], form)}<br>{whole(arm)}<extra></extra>",
            )
        )
    return chart(
        traces,
        len(ranked) * 36 + 100,
        legend=False,
        xaxis=axis(visible_in_html(title), **_around_one_value(values)),
        yaxis=rows([label(arm) for arm in ranked], showgrid=True),
    )


def repeats_table(
    values: Mapping[str, Mapping[int, float]], title: str, *, best: Literal["lowest", "highest"] = "lowest"
) -> Table:
    """The numbers of `repeats`: a row for each arm in its order, with its mean and a column for each repeat."""
    means = _means(values)
    numbers = sorted({repeat for of_arm in values.values() for repeat in of_arm})
    form = _form(best)
    return Table(
        (
            ARM,
            Column(f"Mean {title[:1].lower()}{title[1:]}", form),
            *(Column(f"Repeat {repeat}", form) for repeat in numbers),
        ),
        [(arm, means[arm], *(values[arm].get(repeat) for repeat in numbers)) for arm in _ranked(values, best)],
        repeats_caption(best),
    )


def _form(best: Literal["lowest", "highest"]) -> Form:
    """Of losses and errors, and of scores."""
    return Form.LOSS if best == "lowest" else Form.SCORE


def repeats_caption(best: Literal["lowest", "highest"]) -> str:
    """How to read `repeats`."""
    return (
        "Each dot is one repeat, an independent tuning: the mean of its winner over fresh seeds. The vertical tick is "
        f"the mean of the repeats; the {best} is best."
    )


def _around_one_value(values: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    """The range of an axis with a single value, around which plotly would show a range of 2; else none."""
    known = {value for by_repeat in values.values() for value in by_repeat.values() if np.isfinite(value)}
    if len(known) != 1 or known == {0.0}:
        return {}
    (value,) = known
    return {"range": sorted((0.5 * value, 1.5 * value))}


def credit(shares: Mapping[str, Interval]) -> go.Figure:
    """The contribution of each factor to the test loss, as bars with their 95 % intervals, in this order.

    shares: by name, as `CreditSplit.shares`, with or without a "total", or as `spoken_effects` gives them; below 0 the
    loss falls.
    """
    names, intervals = list(shares), list(shares.values())
    bars = []
    for row, effect in enumerate(intervals):
        colour = FALLS if effect.estimate < 0 else RISES
        bars.append(
            go.Bar(
                x=[effect.estimate],
                y=[row],
                orientation="h",
                width=0.6,
                # Pale, so that the half of the whisker on the bar is visible.
                marker={"color": faded(colour, 0.45), "line": {"color": colour, "width": 1}},
                error_x=whisker(effect.estimate, effect.low, effect.high, colour),
                hovertemplate=f"{formatted(effect.estimate, Form.DIFFERENCE)}<br>"
                f"95 % interval {interval(effect.low, effect.high)}<extra></extra>",
            )
        )
    return chart(
        bars,
        len(names) * 44 + 90,
        legend=False,
        xaxis=axis("Change of test loss", **zero_line()),
        yaxis=rows([_factor(name) for name in names]),
    )


def _factor(name: str) -> str:
    """Its name with a capital, in two lines where it is long; the total in bold."""
    text = visible_in_html(f"{name[:1].upper()}{name[1:]}").replace(", ", ",<br>")
    return f"<b>{text}</b>" if name == "total" else text


def credit_caption(split: CreditSplit) -> str:
    """How to read `credit` of the shares of a split."""
    return (
        f"Contributions to the change from {split.first} to {split.other}. Negative values lower the loss. The bars "
        "add up to the total; the whiskers are 95 % intervals."
    )


def _directions() -> list[dict[str, object]]:
    """Labels above the rows, on both sides of equal losses: which side favours which arm. On a log axis 0 is the
    logarithm of 1.
    """
    sides = (("right", -6, "← first"), ("left", 6, "second →"))
    return [
        {
            "x": 0,
            "xanchor": anchor,
            "xshift": shift,
            "y": 1,
            "yref": "y domain",
            "yanchor": "bottom",
            "showarrow": False,
            "text": text,
        }
        for anchor, shift, text in sides
    ]


def _primary_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=lambda verdict: not verdict.primary)


def decided_marker(verdict: Verdict, known: Mapping[str, Look]) -> dict[str, Any]:
    """The marker of a pair: the look of the arm that is ahead, open where it is not decided that it is better."""
    leader = verdict.winner or (None if verdict.verdict == "tie" else verdict.leader)
    if leader is None:
        return {"color": GREY, "symbol": "circle-open", "size": 11, "line": {"width": 2, "color": GREY}}
    look = known[leader]
    symbol = look.symbol if verdict.winner or "-open" in look.symbol else f"{look.symbol}-open"
    return {"color": look.colour, "symbol": symbol, "size": 11, "line": {"width": 2, "color": look.colour}}


def words(verdict: Verdict) -> str:
    """What is known of a pair: who is better, or ahead."""
    if verdict.difference is None:
        return "not compared yet"
    if verdict.winner:
        return f"{label(verdict.winner)} is {'slightly ' if verdict.equal else ''}better"
    if verdict.verdict == "tie" or verdict.leader is None:
        return WORDS["tie"] if verdict.verdict == "tie" else WORDS["undecided"]
    return f"{label(verdict.leader)} ahead, {WORDS['undecided']}"


def _pair(verdict: Verdict) -> str:
    return f"{label(verdict.a)} vs {label(verdict.b)}"


def _row_label(verdict: Verdict) -> str:
    """The pair in two lines, and below it who is better or ahead."""
    pair = f"{folded(label(verdict.a))}<br>vs {folded(label(verdict.b))}"
    return f"{f'<b>{pair}</b>' if verdict.primary else pair}<br><i>{words(verdict)}</i>"


def whisker(estimate: float, low: float, high: float, colour: str) -> dict[str, object]:
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
    return {arm: float(np.mean(list(by_repeat.values()))) if by_repeat else np.nan for arm, by_repeat in values.items()}


def _ranked(values: Mapping[str, Mapping[int, float]], best: Literal["lowest", "highest"]) -> list[str]:
    sign = 1 if best == "lowest" else -1
    return sorted(values, key=lambda arm: sign * mean if np.isfinite(mean := _means(values)[arm]) else np.inf)
