"""The trials of one arm, repeat by repeat: as arrays, and as the points of a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.trials import guessed
from cooldown.search.figures.layout import BAND, GREY, HELPER, axis, explained
from cooldown.search.spec.space import Parameter
from cooldown.storage import Purpose, StudyRecord

REPEATS = (0.4, 0.75)
"""Where on viridis, which every kind of colour vision reads, the repeats begin and end: visible on white and black."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
"""Of the repeats, in turn."""

GUESSED = "x"
"""The symbol of a trial that did no better than guessing, whatever its repeat."""


@dataclass(frozen=True, eq=False)
class RepeatTrials:
    """One study's trials in order: arrays (n,). best: the lowest loss so far of a trial that was not pruned, NaN before
    there is one. winner: the number of the best so far, -1 for none. guessed: whether it did no better than guessing,
    so that its loss is that of guessing and not measured. uninformed: that loss, the mean over trials.
    """

    repeat: int
    number: NDArray[np.int64]
    loss: NDArray[np.float64]
    pruned: NDArray[np.bool_]
    best: NDArray[np.float64]
    winner: int
    guessed: NDArray[np.bool_]
    uninformed: float


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
                RepeatTrials(
                    study.repeat,
                    number,
                    loss,
                    pruned,
                    best,
                    study.winner.number if study.winner else -1,
                    np.array([guessed(trial) for trial in study.trials]),
                    float(np.mean([c.uninformed_loss for t in study.trials for c in t.curves[Purpose.SEARCH]])),
                )
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
    return {"color": _colours(repeats)[place], "symbol": SYMBOLS[place % len(SYMBOLS)]}


@cache
def _colours(repeats: int) -> tuple[str, ...]:
    """Of each of so many repeats; kept, as plotly takes milliseconds to find one."""
    from plotly.colors import sample_colorscale

    return tuple(sample_colorscale("Viridis", np.linspace(*REPEATS, repeats).tolist()))


def points(
    own: RepeatTrials, x: NDArray[Any], marker: dict[str, str], natural: NDArray[np.float64] | None = None
) -> Any:
    """The trials of one repeat at `x`; with `natural` values only those that have one, and the winner as a star.

    The legend's entries are those of `entries`, as it would draw the first of these points.
    """
    shown = np.full(len(x), True) if natural is None else ~np.isnan(natural)
    star = (own.number == own.winner) & (natural is not None)
    plain = np.where(own.guessed, GUESSED, marker["symbol"])
    symbols = np.where(star, "star", np.where(own.pruned, marker["symbol"] + "-open", plain))
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
        showlegend=False,
        hovertemplate=f"{value}loss %{{y:.4g}}, trial %{{customdata[1]}}<extra>%{{fullData.name}}</extra>",
    )


def entries(trials: Sequence[RepeatTrials]) -> list[go.Scatter]:
    """The legend: the repeats, and where there are some, trials that were pruned or did no better than guessing."""
    made = [
        explained(
            f"repeat {own.repeat}",
            mode="markers",
            marker={**marker_of_repeat(place, len(trials)), "size": 9},
            legendgroup=str(own.repeat),
        )
        for place, own in enumerate(trials)
    ]
    for name, symbol, flags in (
        ("pruned", "circle-open", [own.pruned for own in trials]),
        ("no better than guessing", GUESSED, [own.guessed for own in trials]),
    ):
        if any(each.any() for each in flags):
            made.append(explained(name, mode="markers", marker={"symbol": symbol, "color": GREY, "size": 8}))
    return made


def loss_axis(trials: Sequence[RepeatTrials], log: bool) -> dict[str, Any]:
    """The axis of validation losses. log: whether it is logarithmic, which losses of 0 and below rule out."""
    losses = np.concatenate([own.loss for own in trials]) if trials else np.empty(0)
    known = losses[np.isfinite(losses)]
    return axis("Validation loss", log=log and bool(known.size and known.min() > 0))


def guessing(trials: Sequence[RepeatTrials], axis_of_losses: dict[str, Any]) -> dict[str, Any]:
    """Shape and words of the loss that guessing gets, where some trial got no further: a line, or an area from the
    easiest split's to the hardest's.
    """
    own = [each for each in trials if each.guessed.any()]
    if not own:
        return {"shapes": [], "annotations": []}
    low, high = min(each.uninformed for each in own), max(each.uninformed for each in own)
    place: dict[str, Any] = {"xref": "x domain", "yref": "y"}
    shape = {"type": "rect", **place, "x0": 0, "x1": 1, "y0": low, "y1": high, "layer": "below", "fillcolor": BAND}
    note = {
        **place,
        "x": 1,
        "xanchor": "right",
        "y": float(np.log10(high)) if axis_of_losses.get("type") == "log" else high,
        "yanchor": "bottom",
        "yshift": 4,
        "showarrow": False,
        "text": "no better than guessing",
    }
    return {
        "shapes": [{**shape, "line": {"color": HELPER, "width": 1.5, "dash": "dot"}}],
        "annotations": [note],
    }
