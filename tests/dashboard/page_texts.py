"""All texts of a page, as a reader meets them: sentences, labels, cells of tables, and what stands in charts."""

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from linked import linked
from streamlit.testing.v1.element_tree import Dataframe

IN_CHARTS = ("text", "hovertext", "hovertemplate", "ticktext", "ticksuffix", "name", "label", "title", "customdata")
"""Where a figure has texts for a reader."""

SAID = ("body", "text", "label", "help", "placeholder")
"""Where an element of a page has them."""


def texts(app: Any) -> Iterator[str]:
    """Every text of the page, but what is code or style."""
    yield from sentences(app)
    for each in _elements(app.main):
        if isinstance(each, Dataframe):
            yield from (cell for row in _rows(each) for cell in row)
        elif each.type == "plotly_chart":
            yield from _strings(json.loads(each.proto.spec))


def sentences(app: Any) -> Iterator[str]:
    """The texts that are broken into lines, and the cells of tables that are links."""
    for each in _elements(app.main):
        if each.type not in ("code", "html", "json", "plotly_chart") and not isinstance(each, Dataframe):
            said = (getattr(each.proto, field, "") for field in SAID)
            # Markdown's escapes are for Streamlit.
            yield from (text.replace("\\", "") for text in said if isinstance(text, str) and text)
    for table in linked(app):
        for row in table.get("rows", ()):
            yield from (cell for cell in row["cells"] if isinstance(cell, str))


def tables(app: Any) -> list[list[tuple[str, ...]]]:
    """The rows of each table as they are shown, the titles first."""
    return [_rows(each) for each in _elements(app.main) if isinstance(each, Dataframe)]


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from _elements(child)
        else:
            yield child


def _rows(table: Any) -> list[tuple[str, ...]]:
    data = table.proto.arrow_data if hasattr(table.proto, "arrow_data") else table.proto
    shown = data.styler.display_values
    frame = pa.ipc.open_stream(shown).read_pandas() if shown else table.value
    return [tuple(table.value.columns), *(tuple(map(str, row)) for row in frame.itertuples(index=False))]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in IN_CHARTS:
                yield from _strings(each)
            elif isinstance(each, dict | list) and key != "template":
                yield from _containers(each)


def _containers(value: Any) -> Iterator[str]:
    """The texts of what is below, but for lists of texts such as symbols."""
    if isinstance(value, dict):
        yield from _strings(value)
    else:
        for each in value:
            if isinstance(each, dict):
                yield from _strings(each)
