"""How much the winners rely on single hidden units: training accuracy while units are clamped to 0."""

from collections.abc import Sequence

import plotly.graph_objects as go

from cooldown.search.evidence.generalization import Generalization
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import axis, chart, share_axis
from cooldown.search.figures.lines import label, looks, whole

HEIGHT = 420
READING = (
    "Mean accuracy on the training rows while more and more random hidden units are clamped to 0 (Morcos et al. 2018). "
    "A curve that stays high means that the network relies little on single units."
)


def ablation(arms: Sequence[Generalization]) -> go.Figure:
    """The mean accuracy of each arm's winners against the share of clamped units."""
    known, traces = looks(found.arm for found in arms), []
    for found in arms:
        share, accuracy = found.ablation
        if not len(share):
            continue
        cell = "%{x:.0f} % of units at 0<br>accuracy %{y:.3f}<extra></extra>"
        look = known[found.arm]
        traces.append(
            go.Scatter(
                x=100 * share,
                y=accuracy,
                mode="lines",
                line={**look.line, "width": 2},
                opacity=look.opacity,
                name=label(found.arm),
                hovertemplate=f"{whole(found.arm)}<br>{cell}",
            )
        )
    return chart(
        traces,
        HEIGHT,
        xaxis=share_axis("Share of hidden units clamped to 0"),
        yaxis=axis("Training accuracy", rangemode="tozero"),
    )


def ablation_table(arms: Sequence[Generalization]) -> Table:
    """The numbers of `ablation`."""
    rows = [
        (found.arm, float(share), float(accuracy))
        for found in arms
        for share, accuracy in zip(*found.ablation, strict=True)
    ]
    columns = ARM, Column("Clamped units", Form.SHARE), Column("Training accuracy", Form.SCORE)
    return Table(columns, rows, READING)
