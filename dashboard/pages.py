"""The pages, by section of the menu: the files of `app_pages`, each of which declares its place at the top.

    PAGE = {"title": "Verdict", "icon": "gavel", "section": "This experiment", "place": 20}

A page is a script that Streamlit runs, so this declaration is parsed and not imported. Pages are ordered by place,
sections by their first page; the page with the lowest place is opened first.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "app_pages"


@dataclass(frozen=True)
class Page:
    """A page's place in the menu. icon: a name of Google's Material Symbols. section: its heading, "" for none."""

    name: str
    title: str
    icon: str
    section: str
    place: int


@cache
def pages() -> tuple[Page, ...]:
    """All pages in order."""
    return tuple(sorted((_read(file) for file in FOLDER.glob("*.py")), key=lambda page: page.place))


def _read(file: Path) -> Page:
    """The declaration at the top of a page's file; raises ValueError where it is missing or wrong."""
    values = [
        statement.value
        for statement in ast.parse(file.read_text("utf-8")).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "PAGE"
    ]
    try:
        entry: dict[str, Any] = ast.literal_eval(values[0])
        return Page(file.stem, **entry)
    except (IndexError, ValueError, TypeError) as error:
        raise ValueError(f"{file}: PAGE = {{...}} with title, icon, section and place is missing at the top") from error


def menu() -> "dict[str, list[st.Page]]":
    """The pages in the form that Streamlit's navigation expects."""
    sections: dict[str, list[st.Page]] = {}
    for entry in pages():
        sections.setdefault(entry.section, []).append(page(entry.name))
    return sections


def page(name: str) -> "st.Page":
    """One page, to link to or to go to."""
    entry = next(entry for entry in pages() if entry.name == name)
    icon = f":material/{entry.icon}:"
    return st.Page(FOLDER / f"{name}.py", title=entry.title, icon=icon, url_path=name, default=name == pages()[0].name)
