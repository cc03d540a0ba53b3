"""A surface in three dimensions with the paths of optimizers on it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives.surfaces import Surface, Trajectory
from cooldown.search.figures.landscape import GREYS
from cooldown.search.figures.lines import line_of_arm, marker_of_arm

POINTS = 80
"""Of the surface's grid along each side."""

LIFTED = 0.01
"""How far above the surface a path is drawn, as a share of the heights, so that it is not half inside."""


def relief(surface: Surface, trajectories: Sequence[Trajectory]) -> go.Figure:
    """The surface over its window, and each path as far as it stays within."""
    (left, right), (bottom, top) = surface.window
    x, y = np.linspace(left, right, POINTS), np.linspace(bottom, top, POINTS)
    heights = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    ceiling = float(np.quantile(heights, 0.98)) if surface.minima else float(heights.max())
    grey = [[place / (len(GREYS) - 1), f"rgb{shade}"] for place, shade in enumerate(GREYS)]
    ground = go.Surface(
        x=x,
        y=y,
        z=np.where(heights > ceiling, np.nan, heights),
        colorscale=grey,
        showscale=False,
        contours={"z": {"show": True, "color": "#7E8997", "width": 1}},
        hovertemplate="(%{x:.3g}, %{y:.3g}): %{z:.3g}<extra></extra>",
    )
    lift = LIFTED * (ceiling - float(heights.min()))
    return go.Figure(
        [ground, *(_path(surface, trajectory, lift, ceiling) for trajectory in trajectories)],
        layout={
            "template": "plotly_white",
            "title": {"text": f"{surface.name.capitalize()}: {surface.formula}"},
            "scene": {
                "xaxis": {"title": {"text": "x"}},
                "yaxis": {"title": {"text": "y"}},
                "zaxis": {"title": {"text": "value"}},
                "aspectmode": "cube",
            },
            "margin": {"t": 60, "b": 0, "l": 0, "r": 0},
        },
    )


def _path(surface: Surface, trajectory: Trajectory, lift: float, ceiling: float) -> go.Scatter3d:
    (left, right), (bottom, top) = surface.window
    path, values = trajectory.path, trajectory.values
    inside = (path[:, 0] >= left) & (path[:, 0] <= right) & (path[:, 1] >= bottom) & (path[:, 1] <= top)
    outside = np.flatnonzero(~(inside & (values <= ceiling)))
    # The start is in the window, but may be above what is drawn of the surface.
    end = int(outside[0]) if len(outside) and outside[0] > 0 else len(path)
    line = line_of_arm(trajectory.name)
    return go.Scatter3d(
        x=path[:end, 0],
        y=path[:end, 1],
        z=values[:end] + lift,
        mode="lines+markers",
        line={**line, "width": 5},
        marker={"color": marker_of_arm(trajectory.name)["color"], "size": 2},
        name=f"{trajectory.name}, η = {trajectory.learning_rate:.3g}",
        hovertemplate=trajectory.name + " (%{x:.3g}, %{y:.3g}): %{z:.3g}<extra></extra>",
    )
