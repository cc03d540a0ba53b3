"""A figure for a paper, as PDF, SVG or PNG: the marks of a Plotly figure, drawn with matplotlib at a column's width.

It draws what the figures of an experiment have (`named`): lines, markers, areas, bars, intervals, shapes and labels on
one or several axes above each other. In grey, colours are not enough: each line of a legend has markers of its own.

matplotlib is an extra. Plotly's own way to such files, Kaleido, starts a Chromium, which has to be on the machine.
"""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cooldown.objectives.errors import InputError
from cooldown.search.evidence.numbers import MINUS
from cooldown.search.figures.marks import MARKERS, colour_of, dashes_of, marker_of

FORMATS = ("pdf", "svg", "png")

WIDTH = 8.5
"""Centimetres: one of two columns of a page."""

NARROWEST, WIDEST = 4.0, 50.0

CENTIMETRES, PIXELS = 2.54, 130.0
"""Per inch. A figure's height in pixels is meant for text of 12 points and more; here it has 7."""

DPI = 300

LEGEND_ENTRY = 1.3
"""Inches of an entry of the legend."""

SIMILAR, SHORT = 8.0, 100.0
"""The ratios of the ends of a logarithmic axis below which its ticks are at even distances, and at 1, 2 and 5 times the
powers of ten.
"""

STYLE: Any = {
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    # Text stays text, and the same figure gives the same bytes.
    "pdf.fonttype": 42,
    "svg.hashsalt": "cooldown",
}

UNDATED: Mapping[str, Mapping[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {},
}


def check_printing(format: str, width: float) -> None:
    """Raise InputError for an unknown format, a width that is none, and where matplotlib is not installed."""
    if format not in FORMATS:
        raise InputError(f"a figure is written as {', '.join(FORMATS)} or html, not as {format!r}")
    if not NARROWEST <= width <= WIDEST:
        raise InputError(f"width: should be {NARROWEST:g} to {WIDEST:g} centimetres, got {width:g}")
    if not is_installed():
        raise InputError(
            f"a figure as {format} needs matplotlib, which is not installed: pip install matplotlib (the extra "
            "`figures`); as html it needs nothing more"
        )


def is_installed() -> bool:
    """Whether matplotlib is."""
    return find_spec("matplotlib") is not None


def printed(figure: go.Figure, format: str, *, width: float = WIDTH) -> bytes:
    """The figure as a file in one of `FORMATS`. width: in centimetres.

    Raises InputError as `check_printing` does.
    """
    check_printing(format, width)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        size = (width / CENTIMETRES, figure.layout.height / PIXELS)
        drawing = Figure(figsize=size, layout="constrained")
        _draw(figure, drawing)
        content = BytesIO()
        drawing.savefig(content, format=format, dpi=DPI, metadata=dict(UNDATED[format]))
    return content.getvalue()


def _draw(figure: go.Figure, drawing: Any) -> None:
    layout = figure.layout
    # From the top to the bottom, as they lie in the figure.
    names = sorted({trace.yaxis or "y" for trace in figure.data}, key=lambda name: -_domain(layout, name)[0])
    heights = [high - low for low, high in (_domain(layout, name) for name in names)]
    all_axes = drawing.subplots(len(names), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    by_name = dict(zip(names, all_axes, strict=True))
    for name, axes in by_name.items():
        axes.set_xscale(layout.xaxis.type or "linear")
        axes.set_yscale(layout[f"yaxis{name[1:]}"].type or "linear")
        axes.set_ylabel(_plain(layout[f"yaxis{name[1:]}"].title.text))
        _name_rows(axes, layout[f"yaxis{name[1:]}"])
    # It may be longer than the axis, which has the labels of rows on its left.
    all_axes[-1].set_xlabel(_plain(layout.xaxis.title.text), loc="right")
    markers = _markers(figure)
    for trace in figure.data:
        draw = _draw_bars if trace.type == "bar" else _draw_scatter
        draw(by_name[trace.yaxis or "y"], trace, markers.get(trace.legendgroup or trace.name))
    first = by_name.get("y", all_axes[0])
    for shape in layout.shapes:
        _draw_shape(first, shape)
    for annotation in layout.annotations:
        _draw_text(first, annotation)
    for name, axes in by_name.items():
        _limit(axes, layout.xaxis, layout[f"yaxis{name[1:]}"])
    if layout.showlegend:
        _draw_legend(drawing, all_axes)


def _domain(layout: Any, name: str) -> tuple[float, float]:
    """The share of the height that an axis called "y", "y2", … has, from the bottom."""
    low, high = layout[f"yaxis{name[1:]}"].domain or (0.0, 1.0)
    return float(low), float(high)


def _markers(figure: go.Figure) -> dict[str, str]:
    """The marker of each line that the legend names, the same in all axes."""
    lines = [
        trace.legendgroup or trace.name
        for trace in figure.data
        if trace.type == "scatter" and trace.showlegend is not False and "lines" in (trace.mode or "")
    ]
    if not figure.layout.showlegend or len(lines) < 2:
        return {}
    return {name: MARKERS[place % len(MARKERS)] for place, name in enumerate(dict.fromkeys(lines))}


def _draw_scatter(axes: Any, trace: Any, marker: str | None) -> None:
    x, y = _numbers(trace.x), _numbers(trace.y)
    opacity = 1.0 if trace.opacity is None else trace.opacity
    if trace.fill == "toself":
        axes.fill(x, y, linewidth=0, **colour_of(trace.fillcolor))
        return
    mode = trace.mode or "lines"
    look: dict[str, Any] = {"linestyle": "none", "alpha": opacity}
    if "lines" in mode:
        look |= {"color": trace.line.color, "linewidth": 0.6 * (trace.line.width or 2)}
        look["linestyle"] = dashes_of(trace.line.dash)
        if marker is not None:
            # Their places differ from line to line, so that lines that cover each other are seen.
            every = max(len(x) // 6, 1)
            offset = MARKERS.index(marker) * every // len(MARKERS)
            look |= {"marker": marker, "markersize": 3.5, "markevery": (offset, every)}
    if "markers" in mode:
        look |= {"color": trace.marker.color, "markersize": 0.45 * (trace.marker.size or 8)}
        look |= marker_of(trace.marker.symbol)
    if trace.error_x.array is not None:
        less = trace.error_x.array if trace.error_x.arrayminus is None else trace.error_x.arrayminus
        _draw_whiskers(axes, x, y, less, trace.error_x)
    axes.plot(x, y, label=_label(trace), **look)


def _draw_bars(axes: Any, trace: Any, _: str | None) -> None:
    """Horizontal bars."""
    x, y = _numbers(trace.x), _numbers(trace.y)
    look = {"edgecolor": trace.marker.line.color or trace.marker.color, "linewidth": 0.6}
    if trace.base is not None:
        look["left"] = _numbers(trace.base)
    if trace.marker.pattern.shape:
        # matplotlib calls them the same; the first of two is its density.
        look |= {"hatch": 3 * trace.marker.pattern.shape, "facecolor": "none"}
    else:
        look["facecolor"] = colour_of(trace.marker.color)["color"]
    axes.barh(y, x, height=trace.width or 0.8, label=_label(trace), alpha=trace.opacity, **look)
    if trace.error_x.array is not None:
        _draw_whiskers(axes, x, y, trace.error_x.arrayminus, trace.error_x)


def _draw_whiskers(axes: Any, x: Any, y: Any, less: Any, error: Any) -> None:
    ends = [np.asarray(less, np.float64), np.asarray(error.array, np.float64)]
    axes.errorbar(x, y, xerr=ends, fmt="none", ecolor=error.color, elinewidth=1.0, capsize=2.0, capthick=1.0)


def _draw_shape(axes: Any, shape: Any) -> None:
    """A line, or a rectangle."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    place = _placed(axes, "x", shape.yref)
    if shape.type == "line":
        look = {"linestyle": dashes_of(shape.line.dash), "linewidth": 0.6 * (shape.line.width or 1)}
        axes.add_artist(
            Line2D([shape.x0, shape.x1], [shape.y0, shape.y1], transform=place, zorder=0.5, color="0.5", **look)
        )
        return
    size = shape.x1 - shape.x0, shape.y1 - shape.y0
    axes.add_artist(
        Rectangle((shape.x0, shape.y0), *size, transform=place, zorder=0, linewidth=0, **colour_of(shape.fillcolor))
    )


def _draw_text(axes: Any, annotation: Any) -> None:
    x = annotation.x
    if axes.get_xscale() == "log" and not (annotation.xref or "x").endswith("domain"):
        x = 10**x
    axes.annotate(
        _plain(annotation.text),
        (x, annotation.y),
        xycoords=_placed(axes, annotation.xref, annotation.yref),
        # A pixel of a screen is three quarters of a point.
        xytext=(0.5 * (annotation.xshift or 0), 0.5 * (annotation.yshift or 0)),
        textcoords="offset points",
        ha=annotation.xanchor or "center",
        va=annotation.yanchor or "center",
        fontsize=6.0,
    )


def _draw_legend(drawing: Any, all_axes: Sequence[Any]) -> None:
    handles = {
        label: handle for axes in all_axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles:
        columns = max(int(drawing.get_figwidth() // LEGEND_ENTRY), 1)
        place = {"loc": "outside lower left", "ncols": min(columns, len(handles))}
        drawing.legend(list(handles.values()), list(handles), **place)


def _placed(axes: Any, xref: str | None, yref: str | None) -> Any:
    """Where x and y are: in the axes' data, or as shares of their size."""
    from matplotlib.transforms import blended_transform_factory

    of_x, of_y = (axes.transAxes if (ref or "").endswith("domain") else axes.transData for ref in (xref, yref))
    return blended_transform_factory(of_x, of_y)


def _name_rows(axes: Any, declared: Any) -> None:
    """The labels of the rows of a vertical axis, if it has rows; those of the question are bold."""
    if declared.tickvals is None:
        return
    axes.set_yticks(list(declared.tickvals), [_plain(text) for text in declared.ticktext])
    for label, text in zip(axes.get_yticklabels(), declared.ticktext, strict=True):
        label.set_fontweight("bold" if text.startswith("<b>") else "normal")
    axes.tick_params(axis="y", length=0)


def _limit(axes: Any, x: Any, y: Any) -> None:
    """The ranges of the axes, and the ticks, which depend on them."""
    for axis, declared, limit in ((axes.xaxis, x, axes.set_xlim), (axes.yaxis, y, axes.set_ylim)):
        log = declared.type == "log"
        if declared.range is not None:
            limit(*(10.0**end if log else end for end in declared.range))
        elif declared.rangemode == "tozero":
            limit(0, None)
        if declared.zeroline and not log:
            (axes.axvline if axis is axes.xaxis else axes.axhline)(0, color="0.5", linewidth=0.8, zorder=0.5)
        if log:
            _set_log_ticks(axis)
        elif declared.tickvals is None:
            axis.set_major_formatter(_tick(declared.ticksuffix or ""))
    xs = [line.get_xdata() for line in axes.get_lines() if len(line.get_xdata())]
    if x.type != "log" and xs and all((np.asarray(values) % 1 == 0).all() for values in xs):
        axes.xaxis.get_major_locator().set_params(integer=True)


def _set_log_ticks(axis: Any) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    low, high = axis.get_view_interval()
    if high < SIMILAR * low:
        axis.set_major_locator(MaxNLocator(5))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < SHORT * low else (1.0,), numticks=6))
    axis.set_major_formatter(_tick())
    axis.set_minor_locator(NullLocator())


def _tick(suffix: str = "") -> Any:
    """Ticks as numbers with our signs."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: re.sub("^-", MINUS, f"{value:,g}") + suffix)


def _label(trace: Any) -> str:
    """The name of a trace in the legend; matplotlib leaves out those that begin with "_"."""
    return "_" if trace.showlegend is False or not trace.name else _plain(trace.name)


def _numbers(values: Any) -> Any:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _plain(text: str | None) -> str:
    """A text of plotly, which may have tags, without them; "$" is no formula."""
    lines = re.sub(r"<br ?/?>", "\n", text or "")
    return unescape(re.sub(r"</?[a-z]+>", "", lines)).replace("$", r"\$")
