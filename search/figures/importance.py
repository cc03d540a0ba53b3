"""The importance of each arm's hyperparameters."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cooldown.search.evidence.numbers import Form, formatted, interval
from cooldown.search.evidence.sensitivity import Sensitivity
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import chart, rows, share_axis
from cooldown.search.figures.lines import label, looks

CAPTION = (
    "Importance by PED-ANOVA: how much each hyperparameter distinguishes the good trials of an arm from all trials; "
    "100 % per arm."
)


def importance(sensitivities: Sequence[Sensitivity]) -> go.Figure:
    """The importance of each hyperparameter, arm by arm, the largest on top; no bar where it is unknown."""
    labels, bars = [], []
    arms = list(dict.fromkeys(sensitivity.arm for sensitivity in sensitivities))
    known = looks(arms)
    for arm in arms:
        ordered = _by_importance(sensitivities, arm)
        if len(arms) > 1:
            labels.append(f"<b>{label(arm)}</b>")
        bars.append(
            go.Bar(
                x=[np.nan if each.importance is None else 100 * each.importance for each in ordered],
                y=list(range(len(labels), len(labels) + len(ordered))),
                orientation="h",
                width=0.7,
                marker={"color": known[arm].colour, "opacity": known[arm].opacity},
                customdata=[(formatted(each.importance, Form.SHARE), _width_text(each)) for each in ordered],
                name=label(arm),
                hovertemplate="importance %{customdata[0]}<br>%{customdata[1]}<extra>%{fullData.name}</extra>",
            )
        )
        labels += [label(sensitivity.key) for sensitivity in ordered]
    return chart(
        bars,
        len(labels) * 26 + 90,
        legend=False,
        xaxis=share_axis("Importance", rangemode="tozero"),
        yaxis=rows(labels),
    )


def importance_table(sensitivities: Sequence[Sensitivity]) -> Table:
    """The numbers of `importance`, with the widths: a row for each hyperparameter of each arm."""
    arms = dict.fromkeys(sensitivity.arm for sensitivity in sensitivities)
    return Table(
        (
            ARM,
            Column("Hyperparameter"),
            Column("Importance", Form.SHARE),
            *(Column(title, Form.WIDTH) for title in ("Width", "Width from", "Width to", "Range")),
            Column("Unit"),
        ),
        [
            (arm, row.key, row.importance, row.width, row.low, row.high, row.range_width, row.unit)
            for arm in arms
            for row in _by_importance(sensitivities, arm)
        ],
    )


def _by_importance(sensitivities: Sequence[Sensitivity], arm: str) -> list[Sensitivity]:
    of_arm = [sensitivity for sensitivity in sensitivities if sensitivity.arm == arm]
    return sorted(of_arm, key=lambda row: -1.0 if row.importance is None else row.importance, reverse=True)


def _width_text(sensitivity: Sensitivity) -> str:
    """How wide the region of about equally good values is, in words."""
    if sensitivity.width is None or sensitivity.range_width is None:
        return "categorical" if sensitivity.unit is None else "no good region known"
    between = ""
    if sensitivity.low is not None and sensitivity.high is not None:
        between = f" (95 % interval {interval(sensitivity.low, sensitivity.high, Form.WIDTH)})"
    width, total = (formatted(each, Form.WIDTH) for each in (sensitivity.width, sensitivity.range_width))
    return f"region of good values: {width} of {total} {sensitivity.unit}{between}"
