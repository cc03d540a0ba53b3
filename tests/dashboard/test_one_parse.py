"""A page of the dashboard parses its experiment once, however much it shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parse_counts import counted_parses
from search_runs import run_in_threads, spec
from test_pages import ABOUT_ONE


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('once')}/cooldown.db"
    run_in_threads(url, spec(arms=("momentum+cosine", "adam"), epochs=2), name="whole")
    return url


def test_pages_share_one_parsed_experiment(
    ledger: str, open_app: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    counts = counted_parses(monkeypatch)
    app = open_app(ledger, "verdict", experiment="whole")
    for page in ABOUT_ONE:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception
        assert counts == {"spec": 1, "momentum+cosine": 1, "adam": 1}, page
