"""A result in the output of a notebook's cell: sentences, tables and a figure, as HTML."""

from base64 import b64encode
from typing import Any

from cooldown.search.evidence.sections import answered
from cooldown.search.evidence.view import View
from cooldown.search.export import markup
from cooldown.search.figures import named
from cooldown.search.figures.printed import is_installed, printed

WIDTH = 15.0
"""Centimetres of the figure."""


def as_html(view: View) -> str:
    """The answer, the tables beside it and every pair, as HTML."""
    drawn = named.DRAWN["verdict"](view)
    return markup.html(answered(view)) + ("" if drawn is None else _picture(drawn))


def _picture(figure: Any) -> str:
    """The figure as an image, which every viewer of notebooks shows; without matplotlib as Plotly shows it itself, with
    its script from the network.
    """
    if is_installed():
        content = b64encode(printed(figure, "svg", width=WIDTH)).decode()
        return f'<img alt="Every pair of arms with its intervals" src="data:image/svg+xml;base64,{content}">'
    return str(figure.to_html(full_html=False, include_plotlyjs="cdn"))
