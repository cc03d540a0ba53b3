"""A table whose rows are links: to click or to open in another tab, by keyboard (Tab or `j` and `k`, Enter) or mouse.

Streamlit's own tables are drawn on a canvas, where nothing is a link. This one is HTML, made of texts by `table.js`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from cooldown.dashboard import addressed
from cooldown.dashboard.pages import page
from cooldown.search.evidence.numbers import unparted

Kind = Literal["text", "number", "time", "progress"]
"""What the cells of a column are: texts, texts that are set flush right, seconds since 1970, or shares of 1."""


@dataclass(frozen=True)
class Heading:
    """The head of a column. help: what a reader sees who points at it."""

    title: str
    kind: Kind = "text"
    help: str = ""


@dataclass(frozen=True)
class LinkedRow:
    """A row, which leads to a page with these parameters in its address. cells: None for what is not known. name: of
    the link, where the first cell does not say it. strong: whether it stands out.
    """

    cells: Sequence[str | float | None]
    parameters: Mapping[str, Any]
    name: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Order:
    """By which column rows are sorted, and whether the largest value comes first; in the address `-TITLE`."""

    title: str
    down: bool = False

    def __str__(self) -> str:
        return f"-{self.title}" if self.down else self.title

    def after(self, title: str) -> "Order | None":
        """The order that a reader wants who clicks a column's head: rising, then falling, then the rows' own."""
        if title != self.title:
            return Order(title)
        return None if self.down else Order(title, down=True)

    def places(self, values: Sequence[Any]) -> list[int]:
        """The places of a column's values in this order; what is not known comes last."""
        known = [place for place, value in enumerate(values) if value is not None and value == value]
        rest = sorted(set(range(len(values))) - set(known))
        return sorted(known, key=lambda place: values[place], reverse=self.down) + rest


def order(titles: Sequence[str]) -> Order | None:
    """The order that the address asks for; None for the rows' own."""

    def parsed(said: Sequence[str]) -> Order:
        title = said[-1].removeprefix("-")
        if title not in titles:
            raise ValueError
        return Order(title, said[-1].startswith("-"))

    return addressed.read("sort", parsed, None)


def linked_rows(
    headings: Sequence[Heading],
    rows: Sequence[LinkedRow],
    to: str,
    *,
    key: str,
    label: str,
    by: Order | None = None,
    sorts: bool = True,
    height: int | Literal["content"] = "content",
) -> None:
    """Show the rows, and go to the page `to` when one is opened.

    label: what is in the table, for readers who do not see it. by: the order that the rows have. sorts: whether a
    reader can ask for another one, which is then in the address.
    """
    found = {f"{to}?{urlencode(row.parameters)}": row for row in rows}
    titles = [heading.title for heading in headings]

    def sort() -> None:
        title = st.session_state[key]["sorted"]
        if title in titles:
            wanted = by.after(title) if by else Order(title)
            addressed.write("sort", [str(wanted)] if wanted else [])

    chosen = _component()(
        key=key,
        data={
            "label": label,
            "columns": [{"title": each.title, "kind": each.kind, "help": each.help} for each in headings],
            "rows": [
                {"href": href, "cells": list(map(_cell, row.cells)), "name": row.name, "strong": row.strong}
                for href, row in found.items()
            ],
            "sorts": sorts,
            "sorted": {"column": titles.index(by.title), "down": by.down} if by and by.title in titles else None,
        },
        height=height,
        on_opened_change=_nothing,
        on_sorted_change=sort,
    )
    if chosen["opened"] in found:
        st.switch_page(page(to), query_params=dict(found[chosen["opened"]].parameters))


def _cell(value: str | float | None) -> str | float | None:
    """No line ends between a number and its %."""
    return unparted(value) if isinstance(value, str) else value


def _nothing() -> None:
    """What an event calls that is looked at later."""


@cache
def _component() -> ComponentRenderer:
    folder = Path(__file__).parent
    return st.components.v2.component(
        "cooldown.linked_rows",
        html='<div class="frame"><table></table></div>',
        css=(folder / "table.css").read_text("utf-8"),
        js=(folder / "table.js").read_text("utf-8"),
    )
