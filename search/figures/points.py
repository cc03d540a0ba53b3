"""The trials of one arm, repeat by repeat: as arrays, and as the points of a chart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.search.evidence.trials import guessed
from cooldown.search.figures.layout import BAND, GREY, HELPER, axis, explained, hovered
from cooldown.search.spec.space import Parameter
from cooldown.storage import Purpose, StudyRecord

REPEATS = (0.4, 0.75)
"""The part of viridis, readable with any colour vision, that the repeats' colours cover: visible on white and black."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
"""Of the repeats, in order, repeated where there are more."""

Chosen = Collection[tuple[int, int]] | None
"""The trials that stand out in a chart, by repeat and number; None: all alike."""

SEEN, FADED = 0.9, 0.12
"""The opacity of a trial that is chosen, and of the others."""

GUESSED = "x"
"""The symbol of a trial that did no better than guessing, whatever its repeat."""


@dataclass(frozen=True, eq=False)
class RepeatTrials:
    """One study's trials in order: arrays (n,). best: the lowest loss so far of a trial that was not pruned, NaN before
    there is one. winner: the number of the winner so far, -1 for none. guessed: whether a trial did no better than
    guessing, so that its loss is capped at the baseline loss. uninformed: the baseline loss, the mean over trials.
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
    arrays = []
    for study in sorted(studies, key=lambda study: study.repeat):
        if study.trials:
            loss = np.array([trial.validation_loss for trial in study.trials])
            pruned = np.array([trial.pruned for trial in study.trials])
            best = np.fmin.accumulate(np.where(pruned, np.nan, loss))
            number = np.array([trial.number for trial in study.trials])
            arrays.append(
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
    return arrays


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
    study_trials: RepeatTrials,
    x: NDArray[Any],
    marker: dict[str, str],
    natural: NDArray[np.float64] | None = None,
    name: str = "",
    chosen: Chosen = None,
) -> Any:
    """The trials of one repeat at `x`; with `natural` values only those that have one, and the winner as a star. name:
    what the values are, for the hover text.

    The legend's entries are those of `entries`, as it would draw the first of these points.
    """
    shown = np.full(len(x), True) if natural is None else ~np.isnan(natural)
    star = (study_trials.number == study_trials.winner) & (natural is not None)
    plain = np.where(study_trials.guessed, GUESSED, marker["symbol"])
    symbols = np.where(star, "star", np.where(study_trials.pruned, marker["symbol"] + "-open", plain))
    columns = [np.full(len(x), study_trials.repeat), study_trials.number, *([] if natural is None else [natural])]
    value = "" if natural is None else f"{name or 'value'} %{{customdata[2]:.5g}}<br>"
    keys = [(study_trials.repeat, number) for number in study_trials.number.tolist()]
    return go.Scatter(
        x=x[shown],
        y=study_trials.loss[shown],
        customdata=np.stack(columns, axis=-1)[shown],
        mode="markers",
        marker={
            "color": marker["color"],
            "symbol": symbols[shown],
            "size": np.where(star, 18, 9)[shown],
            "opacity": np.array(opacities(keys, chosen))[shown],
        },
        name=f"repeat {study_trials.repeat}",
        legendgroup=str(study_trials.repeat),
        showlegend=False,
        hovertemplate=f"{value}validation loss %{{y:{hovered(study_trials.loss)}}}<br>trial %{{customdata[1]}}"
        "<extra>%{fullData.name}</extra>",
    )


def opacities(keys: Sequence[tuple[int, int]], chosen: Chosen) -> list[float]:
    """The opacity of each trial."""
    return [SEEN if chosen is None or key in chosen else FADED for key in keys]


def entries(trials: Sequence[RepeatTrials]) -> list[go.Scatter]:
    """The legend: the repeats, and where there are some, trials that were pruned or did no better than guessing."""
    legend = [
        explained(
            f"repeat {study_trials.repeat}",
            mode="markers",
            marker={**marker_of_repeat(place, len(trials)), "size": 9},
            legendgroup=str(study_trials.repeat),
        )
        for place, study_trials in enumerate(trials)
    ]
    for name, symbol, flags in (
        ("pruned", "circle-open", [study_trials.pruned for study_trials in trials]),
        ("no better than guessing", GUESSED, [study_trials.guessed for study_trials in trials]),
    ):
        if any(flag.any() for flag in flags):
            legend.append(explained(name, mode="markers", marker={"symbol": symbol, "color": GREY, "size": 8}))
    return legend


def loss_axis(trials: Sequence[RepeatTrials], log: bool) -> dict[str, Any]:
    """The axis of validation losses. log: whether it is logarithmic, if all losses are above 0."""
    losses = np.concatenate([study_trials.loss for study_trials in trials]) if trials else np.empty(0)
    known = losses[np.isfinite(losses)]
    return axis("Validation loss", log=log and bool(known.size and known.min() > 0))


def guessing(trials: Sequence[RepeatTrials], axis_of_losses: dict[str, Any]) -> dict[str, Any]:
    """Shape and label of the baseline loss, where some trial did no better: a line, or an area from the lowest to the
    highest of the splits.
    """
    affected = [study_trials for study_trials in trials if study_trials.guessed.any()]
    if not affected:
        return {"shapes": [], "annotations": []}
    baselines = [study_trials.uninformed for study_trials in affected]
    low, high = min(baselines), max(baselines)
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
