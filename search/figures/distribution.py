"""The distribution of what each arm's searches tried: the share of its trials that came to a loss or a lower one."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.figures.layout import axis, chart, hovered, share_axis
from cooldown.search.figures.lines import label, looks, whole
from cooldown.storage import StudyRecord

HEIGHT = 420

CAPTION = (
    "The share of an arm's trials, of all repeats, with this validation loss or a lower one: a curve further up and to "
    "the left is an arm that is easier to tune. Pruned trials count among all, at no loss."
)


def distribution(studies: Mapping[str, Sequence[StudyRecord]], *, log: bool = True) -> go.Figure:
    """A rising step line for each arm. studies: its searches, by arm. log: whether the loss axis is logarithmic, if all
    losses are above 0.
    """
    known, traces, above = looks(studies), [], True
    for arm, of_arm in studies.items():
        losses, shares = _steps(of_arm)
        if not len(losses):
            continue
        above = above and bool(losses[0] > 0)
        traces.append(
            go.Scatter(
                x=losses,
                y=100 * shares,
                mode="lines+markers",
                line={**known[arm].line, "width": 2, "shape": "hv"},
                marker={**known[arm].marker, "size": 7, "maxdisplayed": 8},
                opacity=known[arm].opacity,
                name=label(arm),
                hovertemplate=f"%{{y:.0f}} % of trials have a loss of %{{x:{hovered(losses)}}} or less<br>"
                f"{whole(arm)}<extra></extra>",
            )
        )
    return chart(
        traces,
        HEIGHT,
        xaxis=axis("Validation loss", log=log and above),
        yaxis=share_axis("Share of trials", range=[0, 102]),
    )


def distribution_table(studies: Mapping[str, Sequence[StudyRecord]]) -> Table:
    """The numbers of `distribution`: a row for each arm and trial."""
    rows = [
        (arm, loss, share)
        for arm, of_arm in studies.items()
        for loss, share in zip(*(column.tolist() for column in _steps(of_arm)), strict=True)
    ]
    return Table((ARM, Column("Validation loss", Form.LOSS), Column("Share of trials", Form.SHARE)), rows, CAPTION)


def _steps(studies: Sequence[StudyRecord]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) the losses of trials that were not pruned, rising, and the share of all trials up to each."""
    trials = [trial for study in studies for trial in study.trials]
    losses = np.sort([trial.validation_loss for trial in trials if not trial.pruned])
    return np.asarray(losses, np.float64), np.arange(1, len(losses) + 1) / max(len(trials), 1)
