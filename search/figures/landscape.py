"""The landscape of a surface: an image of bands of equal height, behind the paths."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cooldown.objectives.surfaces import Surface

PIXELS = 1200
"""Along each side of the landscape's image: more than most screens show, so that the browser smooths the lines."""

LINEAR_BANDS, LOG_BANDS = 12, 20
"""The most bands between the lowest and the highest level of the landscape."""

GREYS = ((255, 255, 255), (220, 225, 230), (154, 165, 177))
"""From low (light) to high, interpolated evenly. Every line is visible against these."""

LEVEL_LINE = (126, 137, 151)
"""The colour between two bands: darker than both."""

DARK_GREYS = ((20, 22, 27), (46, 51, 59), (84, 92, 104))
DARK_LEVEL_LINE = (108, 117, 130)
"""The same for a dark page: lower is darker."""


@dataclass(frozen=True)
class Landscape:
    """The surface as bands of equal height.

    bands: (PIXELS, PIXELS), the band of each pixel, 0 for the lowest; the first row is the window's upper edge, as in
    an image. edges: (bands + 1,), the bands' ends, evenly spaced. ticks: the colour bar's labels by height, where the
    heights are not the values themselves.
    """

    bands: NDArray[np.intp]
    edges: NDArray[np.float64]
    ticks: dict[float, str]

    def shades(self, dark: bool = False) -> NDArray[np.uint8]:
        """The colour (bands, 3) of each band."""
        greys = np.array(DARK_GREYS if dark else GREYS)
        at = np.linspace(0, 1, len(self.edges) - 1)
        stops = np.linspace(0, 1, len(greys))
        return np.stack([np.interp(at, stops, part) for part in greys.T], axis=-1).round().astype(np.uint8)


def landscape_of(surface: Surface) -> Landscape:
    """Evenly spaced bands of its heights over the window; of their logarithms where most are far above the minimum."""
    (left, right), (bottom, top) = surface.window
    # A pixel shows the height at its middle.
    middles = (np.arange(PIXELS) + 0.5) / PIXELS
    x, y = left + (right - left) * middles, top - (top - bottom) * middles
    heights = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    low, high = np.quantile(heights, [0.05, 0.95])
    if not surface.minima or high - lowest(surface) <= 10 * (low - lowest(surface)):
        edges = _edges(heights, LINEAR_BANDS)
        return Landscape(np.digitize(heights, edges[1:-1]), edges, {})
    # The bottom is a thousandth of the start's height: deeper bands would be too small to see.
    heights = np.log10(np.maximum(heights - lowest(surface), 1e-3 * start_height(surface)))
    edges = _edges(heights, LOG_BANDS)
    powers = np.arange(np.ceil(edges[0]), np.ceil(edges[-1])).tolist()
    ticks = {power: f"{lowest(surface) + 10.0**power:g}" for power in powers}
    return Landscape(np.digitize(heights, edges[1:-1]), edges, ticks)


def _edges(heights: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """The ends of bands that hold all `heights`: multiples of 1, 2 or 5 times a power of ten, about `most` bands."""
    finest = float(np.ptp(heights)) / most
    power = 10.0 ** math.floor(math.log10(finest))
    step = power * next(factor for factor in (1, 2, 5, 10) if power * factor >= finest)
    return step * np.arange(math.floor(heights.min() / step), math.ceil(heights.max() / step) + 1)


def image(surface: Surface, landscape: Landscape, dark: bool = False) -> dict[str, Any]:
    """The bands in their shades, with lines between them, over exactly the window."""
    # Imported here because it takes half a second.
    import plotly.express as px

    bands = landscape.bands
    pixels = landscape.shades(dark)[bands]
    between = np.zeros(bands.shape, dtype=bool)
    between[:, 1:] |= bands[:, 1:] != bands[:, :-1]
    between[1:] |= bands[1:] != bands[:-1]
    pixels[between] = DARK_LEVEL_LINE if dark else LEVEL_LINE
    (left, right), (bottom, top) = surface.window
    return {
        "source": px.imshow(pixels, binary_string=True, binary_backend="pypng", binary_compression_level=9)
        .data[0]
        .source,
        "xref": "x",
        "yref": "y",
        "x": left,
        "y": top,
        "sizex": right - left,
        "sizey": top - bottom,
        "sizing": "stretch",
        "layer": "below",
    }


def colour_bar(landscape: Landscape) -> go.Scatter:
    """A trace without points that shows the colour bar of the image, which has none."""
    low, high = float(landscape.edges[0]), float(landscape.edges[-1])
    colours = ["#{:02X}{:02X}{:02X}".format(*shade) for shade in landscape.shades().tolist()]
    ends = np.linspace(0, 1, len(colours) + 1).tolist()
    bar: dict[str, Any] = {"title": {"text": "value"}, "thickness": 10, "x": 0.5, "outlinewidth": 0}
    # The top end has no tick: the title is there.
    bar["tickvals"] = landscape.edges[:-1].tolist()
    if landscape.ticks:
        bar |= {"tickvals": list(landscape.ticks), "ticktext": list(landscape.ticks.values())}
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            # Each colour appears twice, for both ends of its band.
            "colorscale": [[end, colour] for at, colour in enumerate(colours) for end in (ends[at], ends[at + 1])],
            "showscale": True,
            "colorbar": bar,
        },
        showlegend=False,
        hoverinfo="skip",
    )


def lowest(surface: Surface) -> float:
    """The value of the lowest known minimum."""
    return min(minimum.value for minimum in surface.minima)


def start_height(surface: Surface) -> float:
    """How far the start lies above the lowest known minimum."""
    return float(surface.value(surface.start)) - lowest(surface)
