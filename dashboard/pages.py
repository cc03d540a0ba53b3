"""The pages, by section of the menu: the files of `app_pages`, each of which declares its place at the top.

    PAGE = {"title": "Answer", "icon": "gavel", "section": "This experiment", "place": 20}

A page is a script that Streamlit runs, so this declaration is parsed and not imported. Pages are ordered by place,
sections by their first page; the page with the lowest place is opened first. A file whose name begins with an
underscore is no page.
"""

import ast
import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "app_pages"
KEYS: dict[str, type] = {"title": str, "icon": str, "section": str, "place": int}


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
    return tuple(sorted((_read(file) for file in FOLDER.glob("[!_]*.py")), key=lambda page: page.place))


def _read(file: Path) -> Page:
    """The declaration at the top of a page's file; raises ValueError where it is missing or wrong."""
    needed = f"PAGE = {{...}} with {', '.join(f'{key} ({cls.__name__})' for key, cls in KEYS.items())}"
    values = [
        statement.value
        for statement in ast.parse(file.read_text("utf-8"), filename=str(file)).body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _target(statement) == "PAGE"
    ]
    if not values or values[0] is None:
        raise ValueError(f"{file}: {needed} is missing at the top")
    try:
        declared = ast.literal_eval(values[0])
    except ValueError as error:
        raise ValueError(f"{file}: PAGE must be written out as a literal: {needed}") from error
    if not isinstance(declared, dict) or declared.keys() != KEYS.keys():
        raise ValueError(f"{file}: got PAGE = {declared!r}, expected {needed}")
    for key, value in declared.items():
        if type(value) is not KEYS[key]:
            raise ValueError(f"{file}: {key} in PAGE must be of type {KEYS[key].__name__}, got {value!r}")
    return Page(file.stem, **declared)


def _target(statement: ast.Assign | ast.AnnAssign) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return ast.unparse(target)


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


def links(experiment: str | None) -> None:
    """The menu as links, which lead to the same experiment, in this tab or another one."""
    for section, entries in itertools.groupby(pages(), key=lambda entry: entry.section):
        if section:
            st.caption(section)
        for entry in entries:
            st.page_link(page(entry.name), query_params=address(experiment))


def address(experiment: str | None, **others: Any) -> dict[str, Any]:
    """What an address says of what is shown."""
    return {name: value for name, value in {"experiment": experiment, **others}.items() if value is not None}
