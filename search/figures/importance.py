"""What mattered in the search of each arm: the importance of its hyperparameters."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.sensitivity import Sensitivity
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import axis, chart, rows
from cooldown.search.figures.lines import label, looks

CAPTION = (
    "Importance by PED-ANOVA: how much each hyperparameter distinguishes the good trials of an arm from all trials."
)


def importance(sensitivities: Sequence[Sensitivity]) -> go.Figure:
    """The share of each hyperparameter in what tells an arm's good trials from the others, arm by arm, the largest on
    top. Without an importance there is a row and no bar.
    """
    labels, bars = [], []
    arms = list(dict.fromkeys(each.arm for each in sensitivities))
    known = looks(arms)
    for arm in arms:
        own = _by_importance(sensitivities, arm)
        if len(arms) > 1:
            labels.append(f"<b>{label(arm)}</b>")
        bars.append(
            go.Bar(
                x=[np.nan if each.importance is None else each.importance for each in own],
                y=list(range(len(labels), len(labels) + len(own))),
                orientation="h",
                width=0.7,
                marker={"color": known[arm].colour, "opacity": known[arm].opacity},
                customdata=[_told_width(each) for each in own],
                name=label(arm),
                hovertemplate="importance %{x:.4g}<br>%{customdata}<extra>%{fullData.name}</extra>",
            )
        )
        labels += [label(each.key) for each in own]
    return chart(
        bars,
        len(labels) * 26 + 90,
        legend=False,
        xaxis=axis("Importance (shares of 1 per arm, PED-ANOVA)", rangemode="tozero"),
        yaxis=rows(labels, "Hyperparameter"),
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
            (arm, own.key, own.importance, own.width, own.low, own.high, own.range_width, own.unit)
            for arm in arms
            for own in _by_importance(sensitivities, arm)
        ],
    )


def _by_importance(sensitivities: Sequence[Sensitivity], arm: str) -> list[Sensitivity]:
    own = [each for each in sensitivities if each.arm == arm]
    return sorted(own, key=lambda each: -1.0 if each.importance is None else each.importance, reverse=True)


def _told_width(each: Sensitivity) -> str:
    """How wide the region of about equally good values is, in words."""
    if each.width is None or each.range_width is None:
        return "a choice" if each.unit is None else "no good region known"
    between = ""
    if each.low is not None and each.high is not None:
        between = f" (95 % interval: {each.low:.4g} to {each.high:.4g})"
    return f"about as good as the best over {each.width:.4g} of {each.range_width:.4g} {each.unit}{between}"
