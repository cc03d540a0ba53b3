"""Pages say their place in the menu; a user's own entries are shown, and where their module is gone that is told."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from search_runs import run_in_threads, spec

from cooldown.dashboard import data, pages
from cooldown.objectives import optimizers, schedules

Open = Callable[..., Any]

MODULE = """
from dataclasses import replace

from cooldown.objectives import optimizers, schedules

Lion = replace(optimizers.get("momentum"), name="lion", colour="", native={})
wsd = replace(schedules.get("wsd"), name="wsd", dash="", symbol="", native={})
"""


def test_every_page_is_in_the_menu_at_its_place() -> None:
    found = pages.pages()
    assert {page.name for page in found} == {file.stem for file in pages.FOLDER.glob("*.py")}
    assert len({page.place for page in found}) == len(found)
    assert (found[0].name, found[0].section) == ("experiments", "")
    assert len(pages.menu()) == len({page.section for page in found})
    assert [len(section) for section in pages.menu().values()] == [1, 5, 2]


def test_a_page_that_is_added_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    place = {"section": "", "icon": "list"}
    (tmp_path / "second.py").write_text(
        f'"""It."""\nPAGE = {place | {"title": "Second", "place": 2}}\nraise SystemExit\n'
    )
    (tmp_path / "first.py").write_text(f"PAGE = {place | {'title': 'First', 'place': 1}}\n")
    pages.pages.cache_clear()
    try:
        assert [page.title for page in pages.pages()] == ["First", "Second"]
        for text in ("", "PAGE = 3\n", "PAGE = {'title': 'x'}\n", "PAGE = f()\n"):
            (tmp_path / "bad.py").write_text(text)
            pages.pages.cache_clear()
            with pytest.raises(ValueError, match=r"bad\.py: PAGE = .* is missing"):
                pages.pages()
    finally:
        pages.pages.cache_clear()


def test_entries_of_a_module_and_what_is_told_without_it(
    tmp_path: Path, url: str, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_for_pages.py").write_text(MODULE)
    with monkeypatch.context() as patched:
        patched.syspath_prepend(tmp_path)
        arms = ("mine_for_pages:Lion+mine_for_pages:wsd", "mine_for_pages:Lion,adam+mine_for_pages:wsd,cosine")
        run_in_threads(url, spec(arms=arms, epochs=2), name="mine")
        run_in_threads(url, spec(epochs=2), name="ours")
        for page in pages.pages():
            app = open_app(url, page.name, experiment="mine")
            assert not app.exception, page
            assert not app.error, page
    monkeypatch.delitem(sys.modules, "mine_for_pages")
    for catalog in (optimizers, schedules):
        monkeypatch.setattr(catalog._catalog, "_imported", {})
    st.cache_resource.clear()
    app = open_app(url)
    for summary in data.summaries():
        data.verdict(summary, now=True)
    app.run()
    assert not app.exception
    table = app.dataframe[0].value
    assert dict(zip(table.name, table.verdict == "cannot be read here", strict=True)) == {"mine": True, "ours": False}
    app = open_app(url, "verdict", experiment="mine")
    assert not app.exception
    assert "module 'mine_for_pages' cannot be imported" in app.error[0].value.replace("\\", "")
