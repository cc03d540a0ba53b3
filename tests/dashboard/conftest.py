"""A ledger for the dashboard in each state that there is, and the app on top of it, without a browser."""

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from patience import PATIENCE
from served_pages import Pages, offered
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")
Open = Callable[..., AppTest]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture
def pages(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """Pages of a server, with readers who may do more or less."""
    with offered(url, monkeypatch) as found:
        yield found


_OPENED: list[list[str]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "sqlite3.connect"):
        for heard in _OPENED:
            heard.append(str(arguments[0]))


# There is no way to take it away again: without a listener it hears nothing.
sys.addaudithook(_hear)


@pytest.fixture
def opened_files() -> Iterator[list[str]]:
    """The paths of all files and databases that this process opens, as they are opened."""
    _OPENED.append([])
    yield _OPENED[-1]
    _OPENED.pop()


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the app on a ledger, at a page and an experiment."""

    def opened(url: str, page: str = "experiments", **query: Any) -> AppTest:
        monkeypatch.setenv("COOLDOWN_DB", url)
        app = AppTest.from_file(APP, default_timeout=PATIENCE)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        if page != "experiments":
            app.switch_page(f"app_pages/{page}.py").run()
        return app

    # Streamlit collects garbage after every run of a page, for longer than the page takes where other tests of this
    # process have loaded PyTorch and JAX.
    monkeypatch.setattr(gc, "collect", lambda generation=2: 0)
    # For every app it would read the metadata of all installed packages, looking for components, of which we use none.
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda self, **options: None)
    st.cache_resource.clear()
    yield opened
    st.cache_resource.clear()
