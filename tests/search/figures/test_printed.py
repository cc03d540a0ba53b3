"""Figures for papers: every figure of an experiment as PDF, SVG and PNG, and what the drawing keeps of it."""

import re
from html import unescape
from io import BytesIO

import numpy as np
import plotly.graph_objects as go
import pytest
from covering import covering, in_short
from PIL import Image

from cooldown.objectives import schedules
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.view import View
from cooldown.search.figures import FIGURES
from cooldown.search.figures.lines import SYMBOLS as DERIVED
from cooldown.search.figures.lines import TWINS
from cooldown.search.figures.marks import colour_of, dashes_of, marker_of
from cooldown.search.figures.named import DRAWN, figure
from cooldown.search.figures.printed import FORMATS, printed
from cooldown.storage import ExperimentRecord

BEGINS = {"pdf": b"%PDF-1.4", "svg": b"<?xml", "png": b"\x89PNG"}


@pytest.fixture(scope="module")
def view(small_record: ExperimentRecord) -> View:
    return View(small_record)


def drawn_texts(svg: bytes) -> set[str]:
    """The texts of a drawing: matplotlib writes each as a comment before its glyphs."""
    return {unescape(text.strip()) for text in re.findall(r"<!--(.*?)-->", svg.decode(), re.S)}


def test_the_names_are_those_of_the_figures() -> None:
    assert tuple(DRAWN) == FIGURES
    assert all(each.__doc__ for each in DRAWN.values())


PRINTED = [(name, format) for name in FIGURES for format in FORMATS]


@pytest.mark.parametrize(("name", "format"), in_short(PRINTED, covering(PRINTED, parts=lambda row: row[1:])))
def test_every_figure_is_drawn_and_is_the_same_each_time(name: str, format: str, view: View) -> None:
    content = printed(figure(view, name), format)
    assert content.startswith(BEGINS[format])
    assert printed(figure(view, name), format) == content


@pytest.mark.parametrize("name", FIGURES)
def test_a_drawing_has_the_titles_and_labels_of_its_figure(name: str, view: View) -> None:
    made = figure(view, name)
    told = drawn_texts(printed(made, "svg"))
    assert made.layout.xaxis.title.text in told
    # Rows with labels have no title.
    assert made.layout.yaxis.title.text in {*told, ""}
    assert made.layout.yaxis.title.text or made.layout.yaxis.ticktext
    for text in made.layout.yaxis.ticktext or ():
        lines = re.sub(r"</?[a-z]+>", "", text.replace("<br>", "\n"))
        assert set(lines.split("\n")) <= told | {line for each in told for line in each.split("\n")}
    if made.layout.showlegend:
        assert {"momentum", "momentum+cosine", "adam", "adam+cosine"} <= told


def test_its_width_is_that_of_a_column(view: View) -> None:
    made = figure(view, "verdict")
    for width in (8.5, 17.0):
        image = Image.open(BytesIO(printed(made, "png", width=width)))
        assert image.width == pytest.approx(width / 2.54 * 300, abs=2)


def test_lines_of_a_legend_differ_without_colour() -> None:
    x = np.arange(20)
    same = {"mode": "lines", "line": {"color": "#000000"}}
    layout = {"height": 400, "showlegend": True, "xaxis": {"title": {"text": "x"}}, "yaxis": {"title": {"text": "y"}}}

    def inked(traces: list[go.Scatter]) -> np.ndarray:
        image = Image.open(BytesIO(printed(go.Figure(traces, layout=layout), "png"))).convert("L")
        return np.asarray(image)

    both = [go.Scatter(x=x, y=x + place, name=f"line {place}", **same) for place in (0, 5)]
    alone = [go.Scatter(x=x, y=x + place, name="the only one", **same) for place in (0,)]
    # Two lines with the same look have markers; a single one needs none.
    markers = re.findall(r'<g id="line2d_\d+">.*?</g>', printed(go.Figure(both, layout=layout), "svg").decode(), re.S)
    shapes = set(re.findall(r'<path id="(m[0-9a-f]+)"', "".join(markers)))
    single = printed(go.Figure(alone, layout=layout), "svg").decode()
    assert len(shapes) >= len(set(re.findall(r'<path id="(m[0-9a-f]+)"', single))) + 2
    assert inked(both).shape == inked(alone).shape


def test_every_look_of_an_arm_can_be_drawn() -> None:
    for name in schedules.names():
        entry = schedules.get(name)
        dashes_of(entry.dash)
        for symbol in filter(None, (entry.symbol, *DERIVED)):
            for _, suffix in TWINS:
                marker_of(symbol + suffix)
    assert marker_of("square-open") == {"marker": "s", "fillstyle": "none"}
    assert marker_of("square") == {"marker": "s", "fillstyle": "full"}
    assert dashes_of("26px,2px") == (0, (13.0, 1.0))
    assert colour_of("rgba(255, 0, 51, 0.25)") == {"color": (1.0, 0.0, 0.2, 0.25)}


def test_texts_are_no_formulas_and_no_tags() -> None:
    layout = {
        "height": 300,
        "showlegend": False,
        "xaxis": {"title": {"text": "cost in $ or $x$ &lt;b&gt;"}},
        "yaxis": {"title": {"text": "<b>bold</b> y"}},
    }
    told = drawn_texts(printed(go.Figure([go.Scatter(x=[1, 2], y=[1, 2], mode="lines")], layout=layout), "svg"))
    assert {"bold y", "cost in $ or $x$ <b>"} <= told


def test_an_unknown_format_a_width_and_a_missing_matplotlib(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    made = figure(view, "credit")
    with pytest.raises(InputError, match="written as pdf, svg, png or html, not as 'eps'"):
        printed(made, "eps")
    with pytest.raises(InputError, match="width: should be 4 to 50 centimetres, got 85"):
        printed(made, "pdf", width=85)
    monkeypatch.setattr("cooldown.search.figures.printed.find_spec", lambda _: None)
    with pytest.raises(InputError, match="needs matplotlib, which is not installed: pip install matplotlib"):
        printed(made, "pdf")
