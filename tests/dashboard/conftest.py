"""A ledger for the dashboard in each state that there is, and the app on top of it, without a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")
Open = Callable[..., AppTest]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the app on a ledger, at a page and an experiment."""

    def opened(url: str, page: str = "experiments", **query: Any) -> AppTest:
        monkeypatch.setenv("COOLDOWN_DB", url)
        app = AppTest.from_file(APP, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        if page != "experiments":
            app.switch_page(f"app_pages/{page}.py").run()
        return app

    st.cache_resource.clear()
    yield opened
    st.cache_resource.clear()
