"""The page Generalization: a process of its own trains the winners again on request, and no page waits for it."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from patience import PATIENCE
from search_runs import run_in_threads, spec
from served_pages import Pages

from cooldown.dashboard import probing as module
from cooldown.dashboard.probing import FAILED, _Running, probing
from cooldown.search.evidence.generalization import generalization, generalization_table
from cooldown.search.evidence.view import View


class Process:
    """A process that ends when it is told to."""

    def __init__(self) -> None:
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self.returncode


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[_Running]:
    """Processes in place of those that would be started."""
    running: list[_Running] = []

    def start(of: Any) -> _Running:
        made: Any = Process()
        folder = TemporaryDirectory()
        for name in (module.OUT, module.ERR):
            Path(folder.name, name).touch()
        running.append(_Running(of, made, folder))
        return running[-1]

    monkeypatch.setattr(module, "_start", start)
    return running


def said(app: Any) -> str:
    return "\n".join(str(each.value) for kind in (app.info, app.warning, app.caption) for each in kind)


@pytest.mark.processes
def test_the_winners_are_probed_by_a_process(
    url: str, open_app: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[_Running] = []
    start = module._start
    monkeypatch.setattr(module, "_start", lambda of: running.append(start(of)) or running[-1])
    record = run_in_threads(url, spec(), name="probed")
    app = open_app(url, "generalization", experiment="probed")
    assert not app.exception
    assert not app.dataframe
    app.button[0].click().run()
    assert "probed …" in said(app) or app.dataframe
    running[0].process.wait(PATIENCE)
    app.run()
    assert not app.exception
    assert not app.button
    shown = app.dataframe[0].value
    expected = generalization_table(generalization(View(record)))
    assert list(shown.Arm) == expected.values("Arm")
    assert list(shown["Sharpness"]) == pytest.approx(expected.values("Sharpness"))
    assert app.get("plotly_chart")


def test_one_at_a_time_and_what_went_wrong_is_told(
    url: str, open_app: Callable[..., Any], started: list[_Running]
) -> None:
    for name in ("first", "second"):
        run_in_threads(url, spec(epochs=1), name=name)
    open_app(url, "generalization", experiment="first").button[0].click().run()
    assert [running.of.name for running in started] == ["first"]
    other = open_app(url, "generalization", experiment="second")
    assert other.button[0].disabled
    probing().begin(started[0].of)
    assert len(started) == 1
    process: Any = started[0].process
    Path(started[0].folder.name, module.ERR).write_text("cooldown: the task is gone\n")
    process.returncode = 2
    app = open_app(url, "generalization", experiment="first")
    assert "There are no probes: the task is gone" in said(app).replace("\\", "")
    open_app(url, "generalization", experiment="second").button[0].click().run()
    process = started[1].process
    process.returncode = -9
    app = open_app(url, "generalization", experiment="second")
    assert FAILED in said(app)


def test_a_reader_of_a_server_cannot_have_it_train(pages: Pages, url: str, open_app: Callable[..., Any]) -> None:
    run_in_threads(url, spec(epochs=1), name="mine")
    pages.sign_in("reader")
    app = open_app(url, "generalization", experiment="mine")
    assert not app.button
    assert "cooldown show mine generalization" in app.code[0].value
    pages.sign_in("ada")
    assert open_app(url, "generalization", experiment="mine").button
