"""Plotly's colours, dashes and symbols as those of matplotlib."""

import re
from typing import Any

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of the lines of a figure, in order, repeated where there are more."""

DASHES = {
    None: "-",
    "solid": "-",
    "dash": (0, (5, 2)),
    "dot": (0, (1, 1.5)),
    "dashdot": (0, (5, 2, 1, 2)),
    "longdash": (0, (8, 2)),
    "longdashdot": (0, (8, 2, 1, 2)),
}

SYMBOLS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "diamond-tall": "d",
    "diamond-wide": "D",
    "cross": "P",
    "x": "X",
    "triangle-up": "^",
    "triangle-ne": "^",
    "triangle-down": "v",
    "triangle-sw": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "pentagon": "p",
    "hexagon": "h",
    "hexagon2": "H",
    "octagon": "8",
    "star": "*",
    "hexagram": (6, 1, 0),
    "star-square": (4, 1, 0),
    "star-diamond": (4, 1, 45),
    "star-triangle-up": (3, 1, 0),
    "star-triangle-down": (3, 1, 180),
    "line-ns": "|",
}


def colour_of(colour: str) -> dict[str, Any]:
    """`#rrggbb` or `rgba(r, g, b, a)`, as the argument `color`."""
    if matched := re.fullmatch(r"rgba\((\d+), (\d+), (\d+), ([\d.e-]+)\)", colour):
        red, green, blue = (int(part) / 255 for part in matched.groups()[:3])
        return {"color": (red, green, blue, float(matched[4]))}
    return {"color": colour}


def dashes_of(dash: str | None) -> Any:
    """A dash by its name, or by its lengths in pixels, `26px,2px`, as a line style."""
    if dash in DASHES:
        return DASHES[dash]
    lengths = [float(part.removesuffix("px")) for part in str(dash).split(",")]
    # In units of the line's width, which is about two pixels.
    return 0, tuple(length / 2 for length in lengths)


def marker_of(symbol: str | None) -> dict[str, Any]:
    """A symbol, perhaps open, as arguments of `plot`."""
    name = (symbol or "circle").replace("-dot", "")
    shape = name.removesuffix("-open")
    return {"marker": SYMBOLS[shape], "fillstyle": "none" if name != shape and shape != "line-ns" else "full"}
