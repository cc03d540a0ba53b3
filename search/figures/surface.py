"""The paths of optimizers over a surface, animated, and beside them the value at each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives import optimizers
from cooldown.objectives.optimizer import Family
from cooldown.objectives.surfaces import Surface, Trajectory
from cooldown.search.figures.landscape import colour_bar, image, landscape_of, lowest, start_height
from cooldown.search.figures.layout import ABOVE, GREY
from cooldown.search.figures.lines import line_of_arm, marker_of_arm

FRAMES = 100
"""The most frames after the first. Each holds all paths so far: twice as many make the file four times as large."""

FINEST = 0.001
"""How far a line may deviate from its path, as a share of the window's diagonal: about a pixel."""

MOST_CORNERS = 160
"""The most corners of one line: where a path zig-zags more than that, its line is coarser."""

FAR = 1e3
"""How far outside the window a path is followed, in diagonals."""

DEEPEST = 1e-8
"""Of the start's height above the lowest minimum: where the axis of the values ends, if it is logarithmic."""

LEGENDS: dict[Family, tuple[str, str]] = {
    "sgd": ("legend", "One step size for all coordinates"),
    "adaptive": ("legend2", "A step size for each coordinate"),
}
Within = Literal["beside", "below"]
"""Where the values stand as seen from the landscape, in a figure that is a part of a page."""

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

FAINT = "rgba(128, 128, 128, 0.25)"
"""Of what can be pressed, on light and dark."""

CONTROLS = 80
"""Pixels of the buttons and the slider above a part of a page."""

LEGEND_ROW = 22
"""Pixels."""


@dataclass(frozen=True)
class _Drawn:
    """A trajectory as it is drawn: path (steps + 1, 2), and the steps (corners,) whose points its line goes through."""

    trajectory: Trajectory
    path: NDArray[np.float32]
    corners: NDArray[np.intp]


def surface_figure(surface: Surface, trajectories: Sequence[Trajectory], rate: float | None = None) -> go.Figure:
    """The landscape of `surface` with the paths of `trajectories` over it, and their values against the step.

    trajectories: at least one, all with the same number of steps. rate: that of all of them, if they are not tuned.
    The figure opens at the last step; Play starts over, with a frame for each step, or for fewer and fewer of them
    where there are more than 100.

    The landscape is an image behind the traces and not a contour trace: plotly.js would remove a contour during the
    animation, or redraw it late with every frame.
    """
    shown = frame_steps(len(trajectories[0].path) - 1)
    landscape = landscape_of(surface)
    still = [colour_bar(landscape), *(_values(surface, trajectory, shown) for trajectory in trajectories)]
    drawn = [_drawn(surface, trajectory) for trajectory in trajectories]
    bounds = _value_bounds(surface, trajectories)
    moving = _moving(drawn, bounds, shown[-1])
    numbers = list(range(len(still), len(still) + len(moving)))
    return go.Figure(
        # The minima are marked above the paths: most of these end there.
        [*still, *moving, *_marks(surface, "black")],
        layout=_layout(surface, shown, bounds, rate).update(images=[image(surface, landscape)]),
        frames=[{"name": str(step), "traces": numbers, "data": _moved(drawn, bounds, step)} for step in shown],
    )


def surface_part(
    surface: Surface, trajectories: Sequence[Trajectory], within: Within = "beside", *, dark: bool = False
) -> go.Figure:
    """The same figure as a part of a page that has its own heading, colours and caption: without title and colour bar,
    with the legend below.

    within: where the chart of the values is. dark: whether the page, and so the landscape, is dark.
    """
    shown = frame_steps(len(trajectories[0].path) - 1)
    still = [_values(surface, trajectory, shown) for trajectory in trajectories]
    drawn = [_drawn(surface, trajectory) for trajectory in trajectories]
    bounds = _value_bounds(surface, trajectories)
    moving = _moving(drawn, bounds, shown[-1])
    numbers = list(range(len(still), len(still) + len(moving)))
    marks = _marks(surface, "white" if dark else "black")
    for trace in (*moving, *marks):
        trace.legend = "legend"
    rows = -(-(len(trajectories) + len(marks)) // (4 if within == "beside" else 2))
    layout = _part_layout(surface, shown, bounds, within, rows)
    return go.Figure(
        [*still, *moving, *marks],
        layout=layout.update(images=[image(surface, landscape_of(surface), dark)]),
        frames=[{"name": str(step), "traces": numbers, "data": _moved(drawn, bounds, step)} for step in shown],
    )


def frame_steps(steps: int) -> list[int]:
    """The steps out of 0 … `steps` that are shown: all, or where they are many, more of the early ones."""
    if steps <= FRAMES:
        return list(range(steps + 1))
    return sorted({round(steps * (frame / FRAMES) ** 2) for frame in range(FRAMES + 1)})


def _marks(surface: Surface, ink: str) -> list[go.Scatter]:
    """The start and the minima; the lowest minima are open stars, so that the ends of the paths remain visible."""
    marks = [
        _mark("start", [surface.start], {"color": ink, "symbol": "circle-open", "size": 12, "line": {"width": 2}}),
    ]
    deepest = [minimum.point for minimum in surface.minima if minimum.value == lowest(surface)]
    others = [minimum.point for minimum in surface.minima if minimum.value > lowest(surface)]
    if others:
        cross = {"color": ink, "symbol": "cross-thin", "size": 6, "line": {"width": 1, "color": ink}}
        marks.append(_mark("local minimum", others, cross))
    if deepest:
        marks.append(_mark("minimum", deepest, {"color": ink, "symbol": "star-open", "size": 18, "line": {"width": 2}}))
    return marks


def _mark(name: str, points: Sequence[tuple[float, float]], marker: dict[str, Any]) -> go.Scatter:
    x, y = zip(*points, strict=True)
    return go.Scatter(
        x=x,
        y=y,
        name=name,
        mode="markers",
        marker=marker,
        legend="legend3",
        hovertemplate=name + " (%{x:.4g}, %{y:.4g})<extra></extra>",
    )


def _values(surface: Surface, trajectory: Trajectory, shown: Sequence[int]) -> go.Scatter:
    """The values of a path at the shown steps, on the axes beside the landscape."""
    values = trajectory.values[list(shown)]
    if surface.minima:
        # Zero has no logarithm: values that low leave the picture at its lower edge.
        values = np.maximum(values - lowest(surface), 0.1 * DEEPEST * start_height(surface))
    return go.Scatter(
        x=list(shown),
        y=values,
        name=trajectory.name,
        mode="lines",
        line={**line_of_arm(trajectory.name), "width": 2},
        legendgroup=trajectory.name,
        showlegend=False,
        xaxis="x2",
        yaxis="y2",
        hovertemplate=trajectory.name + ", step %{x}: %{y:.3g}<extra></extra>",
    )


def _drawn(surface: Surface, trajectory: Trajectory) -> _Drawn:
    far = FAR * surface.diagonal
    path = np.clip(trajectory.path, -far, far)
    apart = FINEST * surface.diagonal
    while len(corners := _corners(path, apart)) > MOST_CORNERS:
        apart *= 1.5
    return _Drawn(trajectory, path.astype(np.float32), corners)


def _corners(path: NDArray[np.float64], apart: float) -> NDArray[np.intp]:
    """The points of `path` (n, 2) whose polyline deviates by at most `apart` from it: indices (corners,).

    After Douglas & Peucker 1973: a stretch is drawn straight unless one of its points is too far off; then it is split
    there.
    """
    corners, stretches = [0], [(0, len(path) - 1)]
    while stretches:
        first, last = stretches.pop()
        within, along = path[first : last + 1] - path[first], path[last] - path[first]
        share = np.clip(within @ along / max(along @ along, np.finfo(float).tiny), 0, 1)
        beside = np.hypot(*(within - share[:, None] * along).T)
        farthest = int(np.argmax(beside))
        if beside[farthest] > apart:
            stretches += [(first + farthest, last), (first, first + farthest)]
        else:
            corners.append(last)
    return np.array(corners)


def _moving(drawn: Sequence[_Drawn], bounds: tuple[float, float], step: int) -> list[go.Scatter]:
    """The traces that a frame moves, at `step`: each optimizer's path and head, and the vertical line of the step."""
    moved = [go.Scatter(**each) for each in _moved(drawn, bounds, step)]
    for drawing, path, head in zip(drawn, moved, moved[len(drawn) :], strict=False):
        name = drawing.trajectory.name
        path.update(
            name=f"{name}, η = {drawing.trajectory.learning_rate:.3g}",
            mode="lines",
            line={**line_of_arm(name), "width": 2.5},
            legendgroup=name,
            legend=LEGENDS[optimizers.get(name).family][0],
            hovertemplate=name + " (%{x:.3g}, %{y:.3g})<extra></extra>",
        )
        head.update(
            mode="markers",
            marker={**marker_of_arm(name), "size": 10, "line": {"color": "white", "width": 1.5}},
            legendgroup=name,
            showlegend=False,
            hovertemplate=name + " (%{x:.4g}, %{y:.4g})<extra></extra>",
        )
    moved[-1].update(
        mode="lines", line={"color": "#777777", "width": 1}, xaxis="x2", yaxis="y2", showlegend=False, hoverinfo="skip"
    )
    return moved


def _moved(drawn: Sequence[_Drawn], bounds: tuple[float, float], step: int) -> list[dict[str, Any]]:
    """The positions at `step` of the traces of `_moving`. Plotly makes objects of these; it would copy ours."""
    lines = [np.append(drawing.corners[drawing.corners < step], step) for drawing in drawn]
    return [
        *({"x": drawing.path[at, 0], "y": drawing.path[at, 1]} for drawing, at in zip(drawn, lines, strict=True)),
        *({"x": drawing.path[[step], 0].tolist(), "y": drawing.path[[step], 1].tolist()} for drawing in drawn),
        {"x": [step, step], "y": bounds},
    ]


def _layout(surface: Surface, shown: Sequence[int], bounds: tuple[float, float], rate: float | None) -> go.Layout:
    (left, right), (bottom, top) = surface.window
    plain = {"constrain": "domain", "showgrid": False, "zeroline": False, "ticks": "outside"}
    return go.Layout(
        template="plotly_white",
        title={
            "text": f"{surface.name.capitalize()}: {surface.formula}",
            "subtitle": {
                "text": f"Each optimizer starts at the circle, with the learning rate η {_chosen(surface, rate)}.<br>"
                "Press Play to animate the paths; click a name to hide that optimizer.",
            },
        },
        xaxis={"title": "x", "range": [left, right], "domain": [0, 0.5], "constraintoward": "right", **plain},
        yaxis={"title": "y", "range": [bottom, top], "scaleanchor": "x", "constraintoward": "middle", **plain},
        xaxis2={"title": "step", "domain": [0.64, 1], "anchor": "y2", "range": [0, shown[-1]]},
        yaxis2=_value_axis(surface, bounds),
        updatemenus=[_buttons()],
        sliders=[_slider(shown)],
        margin={"t": 100, "b": 20},
        hovermode="closest",
        **{
            key: {"title": {"text": title}, "tracegroupgap": 0, "x": 1.02, "y": y, "yanchor": "top"}
            for (key, title), y in zip((*LEGENDS.values(), ("legend3", "Marks")), (1, 0.68, 0.1), strict=True)
        },
    )


def _chosen(surface: Surface, rate: float | None) -> str:
    """How the learning rates were chosen, after "the learning rate η"."""
    return f"that brings it {goal(surface)} in the fewest steps" if rate is None else f"= {rate:g} for all"


def goal(surface: Surface) -> str:
    """The goal that the learning rates are tuned for, in words."""
    if not surface.minima:
        return f"down to a value below {surface.level:g}".replace("-", "−")
    which = "the lowest minimum it finds" if len({minimum.value for minimum in surface.minima}) > 1 else "a minimum"
    return f"within {surface.tolerance:g} of {which}"


def _part_layout(
    surface: Surface, shown: Sequence[int], bounds: tuple[float, float], within: Within, rows: int
) -> go.Layout:
    (left, right), (bottom, top) = surface.window
    plain = {"constrain": "domain", "showgrid": False, "zeroline": False, "ticks": "outside", "automargin": True}
    beside = within == "beside"
    # Above the axes buttons and slider, which are in sight before one scrolls; below them labels, title and legend.
    above, below, axes = ABOVE + CONTROLS, 60 + LEGEND_ROW * rows, 430 if beside else 640
    pressed = {"bgcolor": FAINT, "bordercolor": FAINT, "y": 1, "yanchor": "bottom"}
    value_axis = _value_axis(surface, bounds)
    if value_axis.get("type") == "log":
        decades = abs(float(np.diff(value_axis["range"])[0]))
        # As texts: plotly shows powers larger than other labels, and 10⁰ as 1.
        first, last = (math.ceil(min(value_axis["range"])), math.floor(max(value_axis["range"])))
        powers = range(first, last + 1, max(math.ceil(decades / 6), 1))
        value_axis |= {
            "tickvals": [10.0**power for power in powers],
            "ticktext": [f"10{str(power).translate(RAISED)}" for power in powers],
            "tickfont": {"size": 12},
        }
    return go.Layout(
        height=above + axes + below,
        margin={"t": above, "b": below, "l": 8, "r": 16},
        xaxis={"title": {"text": "x"}, "range": [left, right], "domain": [0, 0.56] if beside else [0, 1], **plain},
        yaxis={
            "title": {"text": "y"},
            "range": [bottom, top],
            "scaleanchor": "x",
            "domain": [0, 1] if beside else [0.42, 1],
            **plain,
        },
        xaxis2={
            "title": {"text": "step"},
            "domain": [0.68, 1] if beside else [0, 1],
            "anchor": "y2",
            "range": [0, shown[-1]],
        },
        yaxis2={**value_axis, "domain": [0, 1] if beside else [0, 0.3], "title": None, "automargin": True},
        # Above its axis, where it overlaps nothing even on a narrow page.
        annotations=[
            {
                "text": value_axis["title"],
                "xref": "x2 domain",
                "x": 1,
                "xanchor": "right",
                "yref": "y2 domain",
                "y": 1,
                "yanchor": "bottom",
                "showarrow": False,
            }
        ],
        updatemenus=[{**_buttons(), **pressed, "pad": {"b": 50}}],
        sliders=[{**_slider(shown), **pressed, "pad": {"b": 30, "l": 130}, "activebgcolor": GREY, "tickcolor": GREY}],
        hovermode="closest",
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
        },
    )


def _value_axis(surface: Surface, bounds: tuple[float, float]) -> dict[str, Any]:
    if not surface.minima:
        return {"title": "value", "anchor": "x2", "range": bounds}
    floor = lowest(surface)
    return {
        "title": "value" if floor == 0 else f"value above the lowest minimum ({floor:g})".replace("-", "−"),
        "type": "log",
        "anchor": "x2",
        "range": np.log10(bounds).tolist(),
        "dtick": 1,
        "exponentformat": "power",
        # Plotly shows powers larger than other labels.
        "tickfont": {"size": 10},
    }


def _value_bounds(surface: Surface, trajectories: Sequence[Trajectory]) -> tuple[float, float]:
    """The ends of the values' axis; values outside are not shown."""
    if not surface.minima:
        (left, right), (bottom, top) = surface.window
        corners = surface.value([(left, bottom), (left, (bottom + top) / 2), ((left + right) / 2, bottom)])
        return float(corners.min()), float(corners.max())
    above = np.concatenate([trajectory.values for trajectory in trajectories]) - lowest(surface)
    height = start_height(surface)
    return max(DEEPEST * height, 0.5 * float(np.nanmin(above))), 2 * min(float(np.nanmax(above)), 100 * height)


def _buttons() -> dict[str, Any]:
    def button(label: str, frames: list[None] | None, duration: int, **more: Any) -> dict[str, Any]:
        return {"label": label, "method": "animate", "args": [frames, _animation(duration) | more]}

    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "buttons": [button("Play", None, 60, fromcurrent=True), button("Pause", [None], 0, mode="immediate")],
        "x": 0,
        "y": 0,
        "pad": {"t": 75},
        "xanchor": "left",
        "yanchor": "top",
    }


def _slider(shown: Sequence[int]) -> dict[str, Any]:
    at_once = _animation(0) | {"mode": "immediate"}
    return {
        "active": len(shown) - 1,
        "currentvalue": {"prefix": "step "},
        "steps": [{"label": str(step), "method": "animate", "args": [[str(step)], at_once]} for step in shown],
        "x": 0,
        "y": 0,
        # Below the axis, and beside the buttons.
        "pad": {"t": 45, "l": 130},
    }


def _animation(duration: int) -> dict[str, Any]:
    """The options of a frame that is shown for `duration` milliseconds. Only its own traces are redrawn."""
    return {"frame": {"duration": duration, "redraw": False}, "transition": {"duration": 0}}
