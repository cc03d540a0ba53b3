"""A ledger for the dashboard in each state that there is, and the app on top of it, without a browser."""

import gc
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from browser import served
from patience import PATIENCE
from search_runs import run_in_threads, spec
from served_pages import Pages, offered
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest

from cooldown.objectives import surfaces
from cooldown.objectives.surfaces import trajectories
from cooldown.search.claims.entry import Claim
from cooldown.search.claims.standing import Place, Standing, standing
from cooldown.search.claims.survey import get
from cooldown.search.figures.surface import surface_part

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")
Open = Callable[..., AppTest]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cooldown.db"


@pytest.fixture(scope="session")
def shown_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The ledger of `address`: the experiment `first steps`, and after it `another` on another task."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shown')}/cooldown.db"
    arms = "momentum+cosine", "adam"
    run_in_threads(url, spec(arms=arms, epochs=2, trials=8), name="first steps")
    run_in_threads(url, spec(task="wine", arms=arms, epochs=2), name="another")
    return url


@pytest.fixture(scope="session")
def address(shown_url: str) -> Iterator[str]:
    """A dashboard for the tests in a browser. Whatever a test adds to its ledger, it takes away."""
    with served(shown_url) as found:
        yield found


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


@cache
def _begin_to_hear() -> None:
    """There is no way to end it: from then on, the process calls it a thousand times a second."""
    sys.addaudithook(_hear)


@pytest.fixture
def opened_files() -> Iterator[list[str]]:
    """The paths of all files and databases that this process opens, as they are opened."""
    _begin_to_hear()
    _OPENED.append([])
    yield _OPENED[-1]
    _OPENED.pop()


@cache
def _paths(name: str, chosen: tuple[str, ...], steps: int) -> Any:
    return trajectories(name, chosen, steps)


_FIGURES: dict[Any, Any] = {}


def _figure(surface: Any, paths: Any, within: Any = "beside", *, dark: bool = False) -> Any:
    key = surface.name, tuple((path.name, path.learning_rate, len(path.path)) for path in paths), within, dark
    if key not in _FIGURES:
        _FIGURES[key] = surface_part(surface, paths, within, dark=dark)
    return _FIGURES[key]


@cache
def _on_a_surface(id: str, place: Place) -> Standing:
    return standing(get(id), place, {}, lambda name: pytest.fail(f"{name} was loaded"))


def _standing(claim: Claim, place: Place, *others: Any) -> Standing:
    return standing(claim, place, *others) if place.fingerprint else _on_a_surface(claim.id, place)


_SCRIPTS = ScriptCache()
_compiled = ScriptCache.get_bytecode

_shown: list[str] = []
"""The ledger that pages were opened on last."""


@pytest.fixture
def open_app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the app on a ledger, at a page and an experiment. As on a server, what it keeps of a ledger stays until
    another ledger is opened, or a test begins that may have one of its own.
    """
    if "tmp_path" in request.fixturenames:
        _shown.clear()

    def opened(url: str, page: str = "experiments", **query: Any) -> AppTest:
        monkeypatch.setenv("COOLDOWN_DB", url)
        if _shown != [url]:
            st.cache_resource.clear()
            _shown[:] = [url]
        app = AppTest.from_file(APP, default_timeout=PATIENCE)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "experiments":
            app.switch_page(f"app_pages/{page}.py")
        return app.run()

    # Streamlit collects garbage after every run of a page, for longer than the page takes where other tests of this
    # process have loaded PyTorch and JAX.
    monkeypatch.setattr(gc, "collect", lambda generation=2: 0)
    # For every app it would read the metadata of all installed packages, looking for components, of which we use none.
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda self, **options: None)
    # For every app it would compile the scripts of the pages again.
    monkeypatch.setattr(ScriptCache, "get_bytecode", lambda self, path: _compiled(_SCRIPTS, path))
    # Paths over a surface, their figure and the claims about surfaces are functions of these, which take ten times as
    # long as their page.
    monkeypatch.setattr(surfaces, "trajectories", lambda name, chosen, steps: _paths(name, tuple(chosen), steps))
    monkeypatch.setattr("cooldown.search.figures.surface.surface_part", _figure)
    monkeypatch.setattr("cooldown.search.claims.standing.standing", _standing)
    return opened
