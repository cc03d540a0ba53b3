"""The pictures: what is drawn is the data, nothing else is, and a page needs no network."""

import math
import re
import zlib
from base64 import b64decode
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from covering import in_short

from cooldown.objectives import optimizers, surfaces
from cooldown.objectives.surfaces import Surface, Trajectory
from cooldown.search.figures.landscape import LEVEL_LINE, PIXELS
from cooldown.search.figures.lines import line_of_arm, marker_of_arm
from cooldown.search.figures.page import page
from cooldown.search.figures.surface import FINEST, FRAMES, MOST_CORNERS, frame_steps, surface_figure

pytestmark = pytest.mark.together

MEGABYTE = 1_000_000
# Rosenbrock's own 4000 steps take seconds to tune for each optimizer; its frames are as many with fewer.
STEPS = {"rosenbrock": 1200}
OPTIMIZERS = {name: ["adam", "lion", "momentum", "yellowfin"] for name in ("beale", "ravine", "rosenbrock")}
"""Where not all are drawn, as they are over the others."""
EVERY = pytest.mark.parametrize(
    "name", in_short(surfaces.names(), [name for name in surfaces.names() if name not in ("himmelblau", "rastrigin")])
)
"""Himmelblau and rastrigin, which have several minima, in full only; of the others, rosenbrock has the most steps."""


@cache
def drawn(name: str) -> tuple[Surface, list[Trajectory], go.Figure]:
    trajectories = surfaces.trajectories(name, OPTIMIZERS.get(name), STEPS.get(name))
    return surfaces.get(name), trajectories, surface_figure(surfaces.get(name), trajectories)


def traces(figure: go.Figure, group: str, axis: str) -> list[Any]:
    """The traces of one optimizer on the landscape (axis x) or among the curves (x2)."""
    return [trace for trace in figure.data if trace.legendgroup == group and (trace.xaxis or "x") == axis]


def points(trace: Any) -> np.ndarray:
    return np.stack([np.asarray(trace.x, dtype=float), np.asarray(trace.y, dtype=float)], axis=-1)


@EVERY
def test_paths_and_values_are_the_data(name: str) -> None:
    surface, trajectories, figure = drawn(name)
    steps = len(trajectories[0].path) - 1
    shown = frame_steps(steps)
    for each in trajectories:
        path, head = traces(figure, each.name, "x")
        (curve,) = traces(figure, each.name, "x2")
        # Every corner of the line is a point of the path in its order, the last one its end.
        far = np.abs(each.path) > 1e3
        corners, places = points(path), np.where(far, np.nan, each.path).astype(np.float32)
        visible = np.abs(corners).max(axis=1) < 1e3
        at = [int(np.argmax((places == corner).all(axis=1))) for corner in corners[visible]]
        assert (places[at] == corners[visible]).all()
        assert at[0] == 0
        assert points(head).shape == (1, 2)
        if not far.any():
            assert corners[-1].tolist() == points(head)[0].tolist() == places[-1].tolist()
        assert list(curve.x) == shown
        assert (curve.x[0], figure.layout.xaxis2.type, figure.layout.xaxis2.range) == (0, None, (0, steps))
        values, visible = each.values[shown], np.full(len(shown), True)
        if surface.minima:
            visible = values > 1e-8 * float(surface.value(surface.start))
        assert np.array_equal(np.asarray(curve.y)[visible], values[visible])
        assert f"{each.name}, η = {each.learning_rate:.3g}" == path.name


@EVERY
def test_no_line_runs_visibly_beside_its_path(name: str) -> None:
    """Most run within a pixel of it; one that would need very many corners may be coarser."""
    surface, trajectories, figure = drawn(name)
    farthest = []
    for each in trajectories:
        corners = points(traces(figure, each.name, "x")[0])
        assert len(corners) <= MOST_CORNERS + 1
        start, along = corners[:-1], np.diff(corners, axis=0)
        seen = each.path[np.abs(each.path).max(axis=1) < surface.diagonal]
        within = seen[:, None] - start
        share = np.clip((within * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-300), 0, 1)
        beside = np.linalg.norm(within - share[..., None] * along, axis=2).min(axis=1)
        farthest.append(beside.max() / surface.diagonal)
    assert np.median(farthest) <= 1.01 * FINEST
    # Lion, whose steps are all equally long, goes to and fro across a ravine to the end.
    assert max(farthest) <= 8 * FINEST


@EVERY
def test_a_frame_for_every_shown_step(name: str) -> None:
    surface, trajectories, figure = drawn(name)
    shown = frame_steps(len(trajectories[0].path) - 1)
    assert [frame.name for frame in figure.frames] == [str(step) for step in shown]
    slider, menu = figure.layout.sliders[0], figure.layout.updatemenus[0]
    assert [step.label for step in slider.steps] == [str(step) for step in shown]
    assert [list(step.args[0]) for step in slider.steps] == [[str(step)] for step in shown]
    assert [button.label for button in menu.buttons] == ["Play", "Pause"]
    first, last = figure.frames[0], figure.frames[-1]
    for index, trace in zip(first.traces, first.data, strict=True):
        if figure.data[index].legendgroup:
            assert points(trace)[-1].tolist() == pytest.approx(surface.start, rel=1e-6)
    # What is shown before anyone presses Play is the last frame.
    for index, trace in zip(last.traces, last.data, strict=True):
        assert np.array_equal(points(trace), points(figure.data[index]))
    # Heads are where their optimizers are at the frame's step.
    middle = figure.frames[len(shown) // 3]
    for index, trace in zip(middle.traces, middle.data, strict=True):
        for each in trajectories:
            if figure.data[index].legendgroup == each.name and np.abs(each.path[int(middle.name)]).max() < 1e3:
                assert np.array_equal(points(trace)[-1], each.path[int(middle.name)].astype(np.float32))


@pytest.mark.parametrize("steps", [1, 2, 50, FRAMES, FRAMES + 1, 150, 400, 4000, 10_000])
def test_frames_are_few_and_begin_and_end_with_the_path(steps: int) -> None:
    shown = frame_steps(steps)
    gaps = np.diff(shown)
    assert (shown[0], shown[-1]) == (0, steps)
    assert len(shown) <= FRAMES + 1
    assert (gaps > 0).all()
    if steps <= FRAMES:
        assert (gaps == 1).all()
    else:
        # Never back to finer ones, but for rounding.
        assert (np.diff(gaps) >= -1).all()
        assert len(shown) > FRAMES / 2


def image_of(figure: go.Figure) -> np.ndarray:
    """The pixels (rows, columns, 3) of the landscape."""
    (image,) = figure.layout.images
    kind, data = image.source.split(",")
    assert kind == "data:image/png;base64"
    return pixels(b64decode(data))


def pixels(png: bytes) -> np.ndarray:
    """Of an image with 8 bits for each of red, green and blue, as the PNG specification has it."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    packed, at = b"", 8
    while at < len(png):
        length, kind = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            columns, rows = int.from_bytes(body[:4]), int.from_bytes(body[4:8])
            assert body[8:] == bytes([8, 2, 0, 0, 0])
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    lines = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(rows, 1 + 3 * columns)
    # Before each line there is its filter; 0 is none.
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(rows, columns, 3)


@EVERY
def test_the_landscape_shows_the_surface_over_its_window(name: str) -> None:
    surface, _, figure = drawn(name)
    (left, right), (bottom, top) = surface.window
    (image,) = figure.layout.images
    assert (image.xref, image.yref, image.xanchor, image.yanchor) == ("x", "y", None, None)
    assert (image.x, image.y, image.sizex, image.sizey) == (left, top, right - left, top - bottom)
    assert (image.sizing, image.layer) == ("stretch", "below")
    assert tuple(figure.layout.xaxis.range) == (left, right)
    assert tuple(figure.layout.yaxis.range) == (bottom, top)
    seen = image_of(figure)
    assert seen.shape == (PIXELS, PIXELS, 3)
    # What a pixel's colour stands for on the bar holds its height.
    (bar,) = [trace.marker for trace in figure.data if trace.marker.showscale]
    stops = [(bar.cmin + (bar.cmax - bar.cmin) * share, colour) for share, colour in bar.colorscale]
    bands = {colour: (low, high) for (low, colour), (high, same) in zip(stops[::2], stops[1::2], strict=True)}
    assert 6 <= len(bands) <= 22
    assert len(bands) == len(stops) / 2
    rows, columns = np.indices((PIXELS, PIXELS))[:, 5::70, 5::70].reshape(2, -1)
    x, y = left + (right - left) * (columns + 0.5) / PIXELS, top - (top - bottom) * (rows + 0.5) / PIXELS
    heights = surface.value(np.stack([x, y], axis=-1))
    if bar.colorbar.ticktext:  # logarithmic: the ticks are in the surface's own unit
        assert [float(text) for text in bar.colorbar.ticktext] == pytest.approx(10.0 ** np.array(bar.colorbar.tickvals))
        heights = np.log10(np.maximum(heights, 10.0**bar.cmin))
    colours = ["#{:02X}{:02X}{:02X}".format(*colour) for colour in seen[rows, columns].tolist()]
    line = "#{:02X}{:02X}{:02X}".format(*LEVEL_LINE)
    inside = [(*bands[colour], height) for colour, height in zip(colours, heights, strict=True) if colour != line]
    assert len(inside) > 0.8 * len(colours)
    assert all(low - 1e-9 <= height <= high + 1e-9 for low, high, height in inside)
    # Between two bands there is a line.
    assert (seen == LEVEL_LINE).all(axis=-1).any()


@EVERY
def test_frames_carry_no_landscape(name: str) -> None:
    """What plotly.js does not draw anew cannot vanish; and frames of lines and markers it need not draw anew."""
    _, _, figure = drawn(name)
    assert {type(trace) for trace in figure.data} == {go.Scatter}
    for frame in figure.frames:
        assert frame.layout.to_plotly_json() == {}
        assert not any(figure.data[index].marker.showscale for index in frame.traces)
    steps = [step.args[1] for step in figure.layout.sliders[0].steps]
    animations = [*steps, *(button.args[1] for button in figure.layout.updatemenus[0].buttons)]
    assert not any(animation["frame"]["redraw"] for animation in animations)


@EVERY
def test_marks_are_the_start_and_the_minima_above_the_paths(name: str) -> None:
    surface, _, figure = drawn(name)
    marks = {trace.name: points(trace).tolist() for trace in figure.data if trace.legend == "legend3"}
    assert [trace.name for trace in figure.data[-len(marks) :]] == list(marks)
    assert marks.pop("start") == [list(surface.start)]
    places = [place for mark in marks.values() for place in mark]
    assert sorted(places) == sorted(list(minimum.point) for minimum in surface.minima)


@EVERY
def test_titles_say_what_there_is_to_see(name: str) -> None:
    surface, _, figure = drawn(name)
    layout = figure.layout
    assert layout.title.text == f"{name.capitalize()}: {surface.formula}"
    assert "Play" in layout.title.subtitle.text
    assert f"{surface.tolerance:g}" in layout.title.subtitle.text or not surface.minima
    assert [layout[axis].title.text for axis in ("xaxis", "yaxis", "xaxis2", "yaxis2")] == ["x", "y", "step", "value"]
    assert layout.yaxis2.type == ("log" if surface.minima else None)
    low, high = layout.yaxis2.range
    assert math.isfinite(low)
    assert low < high


@EVERY
def test_a_page_is_small_and_needs_no_network(name: str) -> None:
    _, _, figure = drawn(name)
    text = page(figure, f"{name} <&>")
    assert len(text.encode()) < 6 * MEGABYTE
    assert f"<title>{name} &lt;&amp;&gt;</title>" in text
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", text)
    assert "Plotly.newPlot(" in text
    assert "Plotly.addFrames(" in text
    assert page(figure, f"{name} <&>") == text


def test_a_path_that_leaves_for_infinity_is_drawn_as_far_as_it_can_be() -> None:
    saddle = surfaces.get("saddle")
    figure = surface_figure(saddle, surfaces.trajectories(saddle, ["sgd", "momentum"], 3000))
    for trace in (*figure.data, *(trace for frame in figure.frames for trace in frame.data)):
        if (trace.xaxis or "x") == "x" and not trace.marker.showscale:
            assert np.isfinite(points(trace)).all()
    assert len(page(figure, "").encode()) < 6 * MEGABYTE


def test_each_optimizer_has_a_look_of_its_own_and_its_familys_tones() -> None:
    looks = [tuple(line_of_arm(name).values()) for name in optimizers.names()]
    assert len(set(looks)) == len(looks)
    for name in optimizers.names():
        # Warm colours have the most of red.
        red, green, blue = (int(line_of_arm(name)["color"][at : at + 2], 16) for at in (1, 3, 5))
        assert (red > max(green, blue)) == (optimizers.get(name).family == "sgd")
        assert marker_of_arm(name)["color"] == line_of_arm(name)["color"]
    _, trajectories, _ = drawn("saddle")
    alone = surface_figure(surfaces.get("saddle"), trajectories[3:4])
    assert traces(alone, trajectories[3].name, "x")[0].line.color == line_of_arm(trajectories[3].name)["color"]
