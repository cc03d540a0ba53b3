"""A table of evidence whose rows are links, sorted and in pages as the address says."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.linked_rows import Heading, LinkedRow, linked_rows, order
from cooldown.search.evidence.table import Table

PER_PAGE = 100
"""Rows of a page: more are slow to scroll on a phone."""

ROW = 36
"""Pixels of a row."""


def linked_table(
    table: Table,
    parameters: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    to: str,
    *,
    key: str,
    label: str,
    height: int,
) -> None:
    """Show a table without intervals; each row leads to the page `to` with its parameters in the address.

    names: what each row is, for readers who do not see the others. height: pixels of a table that has more rows than
    fit.
    """
    by = order(table.titles)
    places = by.places(table.values(by.title)) if by else list(range(len(table)))
    pages = max(-(-len(places) // PER_PAGE), 1)
    first = (_page(pages) - 1) * PER_PAGE if pages > 1 else 0
    shown = places[first : first + PER_PAGE]
    texts = table.take(shown).texts()
    linked_rows(
        [Heading(column.title, "number" if column.form.is_number else "text") for column in table.columns],
        [
            LinkedRow(cells, parameters[place], names[place], strong=place in table.strong)
            for cells, place in zip(texts, shown, strict=True)
        ],
        to,
        key=key,
        label=label,
        by=by,
        height=height if len(shown) * ROW > height else "content",
    )


def _page(pages: int) -> int:
    """Which page of rows the reader wants."""

    def widget(_: str, options: Sequence[int], **look: Any) -> int:
        return st.pagination(len(options), **look)

    return addressed.choice(widget, "Part of the rows", range(1, pages + 1), "part")
