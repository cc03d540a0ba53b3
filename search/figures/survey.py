"""The survey's pictures 1 to 6, each with a caption that says what to see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives import surfaces, tasks
from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.surfaces import Surface, Trajectory
from cooldown.search.figures.layout import axis, chart
from cooldown.search.figures.relief import relief
from cooldown.search.figures.schedules import COLOURS
from cooldown.search.figures.surface import surface_figure

HEIGHT = 460

RAVINE_RATE, RAVINE_STEPS = 0.018, 60
"""At which plain SGD is just stable across the ravine: the same for figures 2 and 3."""

EPOCHS, RATE = 6, 0.02
"""Of figure 1. The rate is one at which single rows can be learned from."""

MOMENTUM = 0.9


@dataclass(frozen=True)
class Picture:
    """A figure, and what to see in it."""

    figure: go.Figure
    caption: str


def fluctuation_losses() -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """By label, rows seen (updates,) and the loss (updates,) of each update: SGD on digits with three batch sizes."""
    from cooldown.objectives.training.engine import train

    problem = tasks.get("digits").search_problem(0, 0)
    sizes = {"one row": 1, "32 rows": 32, f"all {len(problem.train):,} rows": len(problem.train)}
    configs = [
        TrainConfig.from_json(
            {"optimizer": {"name": "sgd", "learning_rate": RATE}, "batch_size": size, "epochs": EPOCHS}
        )
        for size in sizes.values()
    ]
    curves = train(problem, configs, [0], every_epoch=False, every_update=True)
    return {
        label: (np.cumsum(config.plan(len(problem.train)).sizes), curve.update_loss)
        for label, config, (curve,) in zip(sizes, configs, curves, strict=True)
    }


def fluctuation(losses: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> go.Figure:
    """The loss of each update against the rows seen so far."""
    traces = [
        go.Scatter(
            x=rows,
            y=loss,
            mode="lines" if len(loss) > 20 else "lines+markers",
            line={"color": COLOURS[place], "width": 0.7 if len(loss) > 1000 else 2},
            name=f"batches of {label}",
            hovertemplate="%{x:,} rows: %{y:.3f}<extra>%{fullData.name}</extra>",
        )
        for place, (label, (rows, loss)) in enumerate(losses.items())
    ]
    # A few single rows have a loss far above all others.
    highest = max(float(np.quantile(loss, 0.995)) for _, loss in losses.values())
    loss_axis = axis("Loss of the mini-batch", range=[0, 1.05 * highest])
    return chart(traces, HEIGHT, xaxis=axis("Rows seen"), yaxis=loss_axis)


def nesterov_vectors() -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """By label, where each vector of one step begins and ends, (2,) each: on the ravine, after steps of momentum."""
    ravine = surfaces.get("ravine")
    rate, steps = 0.008, 6
    point, velocity = np.array(ravine.start), np.zeros(2)
    for _ in range(steps):
        velocity = MOMENTUM * velocity + ravine.gradient(point)
        point = point - rate * velocity
    ahead = point - rate * MOMENTUM * velocity
    return {
        "momentum μv": (point, ahead),
        "gradient here": (point, point - rate * ravine.gradient(point)),
        "momentum's step": (point, ahead - rate * ravine.gradient(point)),
        "correction: the gradient at the look-ahead": (ahead, ahead - rate * ravine.gradient(ahead)),
        "Nesterov's step": (point, ahead - rate * ravine.gradient(ahead)),
    }


def vectors(arrows: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]) -> go.Figure:
    """Each vector as a line with a head."""
    traces = [
        go.Scatter(
            x=[begin[0], end[0]],
            y=[begin[1], end[1]],
            mode="lines+markers",
            line={"color": COLOURS[place], "width": 3},
            marker={"symbol": ["circle", "arrow"], "size": [1, 14], "angleref": "previous"},
            name=label,
            hovertemplate="(%{x:.3g}, %{y:.3g})<extra>%{fullData.name}</extra>",
        )
        for place, (label, (begin, end)) in enumerate(arrows.items())
    ]
    return chart(traces, HEIGHT, xaxis=axis("x"), yaxis=axis("y"))


def _ravine(optimizer: str) -> tuple[Surface, list[Trajectory]]:
    return surfaces.get("ravine"), surfaces.trajectories("ravine", [optimizer], RAVINE_STEPS, RAVINE_RATE)


def _picture_1() -> Picture:
    return Picture(
        fluctuation(fluctuation_losses()),
        f"SGD on digits at one rate, {RATE:g}: the loss of each update. With single rows it jumps from one update to "
        "the next, since each row has a loss of its own, some far above the axis; batches of 32 show the way down with "
        f"less noise; with all rows it is smooth, but {EPOCHS} passes are only {EPOCHS} updates.",
    )


def _picture_2() -> Picture:
    surface, paths = _ravine("sgd")
    return Picture(
        surface_figure(surface, paths, RAVINE_RATE),
        f"A ravine without momentum, at the rate {RAVINE_RATE:g}: every step crosses the axis, {paths[0].crossings} "
        f"times in {RAVINE_STEPS} steps, while little is gained along it. Compare figure 3, at the same rate.",
    )


def _picture_3() -> Picture:
    surface, paths = _ravine("momentum")
    (_, (without,)) = _ravine("sgd")
    return Picture(
        surface_figure(surface, paths, RAVINE_RATE),
        f"The same ravine and rate with momentum {MOMENTUM:g}: {paths[0].crossings} crossings in place of "
        f"{without.crossings}, and after {RAVINE_STEPS} steps a value of {paths[0].values[-1]:.2g} in place of "
        f"{without.values[-1]:.2g}: steps across cancel, steps along add up.",
    )


def _picture_4() -> Picture:
    return Picture(
        vectors(nesterov_vectors()),
        "One step from the same point. Momentum adds the gradient here to its velocity. Nesterov's method first goes "
        "where the velocity leads, and corrects by the gradient there, which is steeper the further up the wall: it "
        "turns earlier.",
    )


def _picture_5() -> Picture:
    beale = surfaces.get("beale")
    return Picture(
        surface_figure(beale, surfaces.trajectories(beale)),
        "All optimizers on the contours of Beale's function, each at its own tuned rate. Press Play: rules with one "
        "step size follow the slope, those with one for each coordinate turn towards the minimum at once.",
    )


def _picture_6() -> Picture:
    saddle = surfaces.get("saddle")
    return Picture(
        relief(saddle, surfaces.trajectories(saddle)),
        "The saddle z = x² − y², as a surface: turn it. SGD, momentum and NAG run down to the saddle point, where the "
        "slope is nearly zero, and linger; rules that scale each coordinate leave it quickly. `cooldown surface "
        "saddle` shows the same from above, step by step.",
    )


PICTURES: Sequence[Callable[[], Picture]] = (_picture_1, _picture_2, _picture_3, _picture_4, _picture_5, _picture_6)

PREFIX = "survey/"


def survey_picture(name: str) -> Picture:
    """The picture called `survey/1` … `survey/6`; InputError for another name."""
    names = [f"{PREFIX}{number}" for number in range(1, len(PICTURES) + 1)]
    if name not in names:
        raise unknown_name("picture of the survey", name, names)
    return PICTURES[names.index(name)]()
