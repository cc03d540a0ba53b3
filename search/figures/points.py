"""The trials of one arm, repeat by repeat: as arrays, and as the points of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from search.figures.layout import GREY, axis, explained, wide
from search.space import Parameter
from storage import StudyRecord

REPEATS = (0.3, 0.8)
"""Where on viridis, which every kind of colour vision reads, the repeats begin and end: visible on white and black."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
"""Of the repeats, in turn."""


@dataclass(frozen=True, eq=False)
class RepeatTrials:
    """One study's trials in order: arrays (n,). best: the lowest loss so far of a trial that was not pruned, NaN before
    there is one. winner: the number of the best so far, -1 for none.
    """

    repeat: int
    number: NDArray[np.int64]
    loss: NDArray[np.float64]
    pruned: NDArray[np.bool_]
    best: NDArray[np.float64]
    winner: int


def repeat_trials(studies: Sequence[StudyRecord]) -> list[RepeatTrials]:
    """The studies that have trials, by repeat."""
    found = []
    for study in sorted(studies, key=lambda study: study.repeat):
        if study.trials:
            loss = np.array([trial.validation_loss for trial in study.trials])
            pruned = np.array([trial.pruned for trial in study.trials])
            best = np.fmin.accumulate(np.where(pruned, np.nan, loss))
            number = np.array([trial.number for trial in study.trials])
            found.append(
                RepeatTrials(study.repeat, number, loss, pruned, best, study.winner.number if study.winner else -1)
            )
    return found


def natural_values(studies: Sequence[StudyRecord], parameter: Parameter) -> list[NDArray[np.float64]]:
    """For each of `repeat_trials` the natural values (n,), NaN for a trial without the parameter."""
    return [
        np.array([trial.parameters.get(parameter.key, np.nan) for trial in study.trials], np.float64)
        for study in sorted(studies, key=lambda study: study.repeat)
        if study.trials
    ]


def marker_of_repeat(place: int, repeats: int) -> dict[str, str]:
    """Colour and symbol of one of `repeats`."""
    from plotly.colors import sample_colorscale

    at = np.linspace(*REPEATS, repeats)[place]
    return {"color": sample_colorscale("Viridis", [float(at)])[0], "symbol": SYMBOLS[place % len(SYMBOLS)]}


def points(
    own: RepeatTrials, x: NDArray[Any], marker: dict[str, str], natural: NDArray[np.float64] | None = None
) -> Any:
    """The trials of one repeat at `x`; with `natural` values only those that have one, and the winner as a star."""
    shown = np.full(len(x), True) if natural is None else ~np.isnan(natural)
    star = (own.number == own.winner) & (natural is not None)
    symbols = np.where(star, "star", np.where(own.pruned, marker["symbol"] + "-open", marker["symbol"]))
    columns = [np.full(len(x), own.repeat), own.number, *([] if natural is None else [natural])]
    value = "" if natural is None else "value %{customdata[2]:.4g}, "
    return go.Scatter(
        x=x[shown],
        y=own.loss[shown],
        customdata=np.stack(columns, axis=-1)[shown],
        mode="markers",
        marker={
            "color": marker["color"],
            "symbol": symbols[shown],
            "size": np.where(star, 18, 9)[shown],
            "opacity": 0.9,
        },
        name=f"repeat {own.repeat}",
        legendgroup=str(own.repeat),
        showlegend=True,
        hovertemplate=f"{value}loss %{{y:.4g}}, trial %{{customdata[1]}}<extra>%{{fullData.name}}</extra>",
    )


def pruned_entry(trials: Sequence[RepeatTrials]) -> list[go.Scatter]:
    """The legend's entry for pruned trials, where there are some."""
    if not any(own.pruned.any() for own in trials):
        return []
    return [explained("pruned", mode="markers", marker={"symbol": "circle-open", "color": GREY, "size": 8})]


def loss_axis(trials: Sequence[RepeatTrials]) -> dict[str, Any]:
    """The axis of validation losses, logarithmic where they are spread widely."""
    losses = np.concatenate([own.loss for own in trials]) if trials else np.empty(0)
    return axis("Validation loss", log=wide(losses))
