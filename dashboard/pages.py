"""Which pages there are, by section of the menu."""

from pathlib import Path

import streamlit as st

FOLDER = Path(__file__).parent / "app_pages"

MENU = {
    "": {"experiments": ("Experiments", "list")},
    "This experiment": {
        "verdict": ("Verdict", "gavel"),
        "curves": ("Learning curves", "show_chart"),
        "search": ("Search", "travel_explore"),
        "budget": ("Budget", "savings"),
        "export": ("Export", "download"),
    },
    "Playgrounds": {
        "schedules": ("Schedules", "timeline"),
        "surfaces": ("Surfaces", "landscape"),
    },
}
"""Title and icon of each page, by the name of its file."""

FIRST = "experiments"


def menu() -> "dict[str, list[st.Page]]":
    """The pages as Streamlit's navigation takes them."""
    return {section: [page(name) for name in pages] for section, pages in MENU.items()}


def page(name: str) -> "st.Page":
    """One page, to link to or to go to."""
    title, icon = next(pages[name] for pages in MENU.values() if name in pages)
    return st.Page(FOLDER / f"{name}.py", title=title, icon=f":material/{icon}:", url_path=name, default=name == FIRST)
