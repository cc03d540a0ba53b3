"""Pages say their place in the menu; a user's own entries are shown, and where their module is gone that is told."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from linked import listed
from search_runs import run_in_threads, spec
from user_module import importable

from cooldown.dashboard import pages

Open = Callable[..., Any]


def test_every_page_is_in_the_menu_at_its_place() -> None:
    found = pages.pages()
    assert {page.name for page in found} == {file.stem for file in pages.FOLDER.glob("[!_]*.py")}
    assert len({page.place for page in found}) == len(found)
    assert (found[0].name, found[0].section) == ("experiments", "")
    menu = pages.menu()
    assert list(menu)[:2] == ["", "This experiment"]
    assert sum(len(section) for section in menu.values()) == len(found)
    for heading, section in menu.items():
        assert len(section) == len([page for page in found if page.section == heading])


def test_a_page_that_is_added_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    place = {"section": "", "icon": "list"}
    (tmp_path / "second.py").write_text(
        f'"""It."""\nPAGE = {place | {"title": "Second", "place": 2}}\nraise SystemExit\n'
    )
    (tmp_path / "first.py").write_text(f"PAGE: dict[str, object] = {place | {'title': 'First', 'place': 1}}\n")
    (tmp_path / "_shared.py").write_text("FOR_BOTH = 1\n")
    pages.pages.cache_clear()
    try:
        assert [page.title for page in pages.pages()] == ["First", "Second"]
        third = place | {"title": "Third", "place": 3}
        for text, message in {
            "": "PAGE = {...} with title (str), icon (str), section (str), place (int) is missing",
            "PAGE: dict[str, object]\n": "is missing at the top",
            "PAGE = 3\n": "got PAGE = 3, expected PAGE = {...} with title (str)",
            "PAGE = {'title': 'x'}\n": "got PAGE = {'title': 'x'}, expected",
            "PAGE = f()\n": "PAGE must be written out as a literal",
            f"PAGE = {third | {'place': '3'}}": "place in PAGE must be of type int, got '3'",
            f"PAGE = {third | {'title': None}}": "title in PAGE must be of type str, got None",
        }.items():
            (tmp_path / "bad.py").write_text(text)
            pages.pages.cache_clear()
            with pytest.raises(ValueError, match=rf"bad\.py: .*{re.escape(message)}"):
                pages.pages()
        (tmp_path / "bad.py").write_text("PAGE = {\n")
        pages.pages.cache_clear()
        with pytest.raises(SyntaxError) as raised:
            pages.pages()
        assert raised.value.filename == str(tmp_path / "bad.py")
    finally:
        pages.pages.cache_clear()


def test_entries_of_a_module_and_what_is_told_without_it(
    tmp_path: Path, url: str, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with importable("mine_for_pages", tmp_path, monkeypatch):
        arms = ("mine_for_pages:Lion+mine_for_pages:wsd", "mine_for_pages:Lion,adam+mine_for_pages:wsd,cosine")
        run_in_threads(url, spec(arms=arms, epochs=2), name="mine")
        run_in_threads(url, spec(epochs=2), name="ours")
        for page in pages.pages():
            app = open_app(url, page.name, experiment="mine")
            assert not app.exception, page
            assert not app.error, page
    st.cache_resource.clear()
    app = open_app(url)
    assert not app.exception
    unread = {name: row["Leader"] == "cannot be read here" for name, row in listed(app).items()}
    assert unread == {"mine": True, "ours": False}
    app = open_app(url, "verdict", experiment="mine")
    assert not app.exception
    assert "module 'mine_for_pages' cannot be imported" in app.error[0].value.replace("\\", "")
