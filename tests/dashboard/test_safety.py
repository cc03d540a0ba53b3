"""What a reader can make the server do: look at the one ledger that it was started with, and at nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from covering import covering, in_short
from linked import listed
from search_runs import run_in_threads, spec
from test_pages import ABOUT_ONE, PAGES, Open, fine, words
from user_module import importable

from cooldown.dashboard import data
from cooldown.objectives import trust
from cooldown.objectives.errors import InputError
from cooldown.search.spec.arms import Arm
from cooldown.storage import Ledger

ELSEWHERE = ("../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "x" * 5000)
NAMES = ("db", "ledger", "path", "file", "COOLDOWN_DB", "cooldown_db", "task", "arm", "format")
FREE = ("text_input", "text_area", "chat_input", "file_uploader", "camera_input", "data_editor")
"""Widgets into which a reader could write what he wants."""

ASKS, FINDS = "new", {" find", "queue find"}
"""The page on which an experiment is asked for; widgets that look for a text in what a list shows: on the list of
experiments, the first page, whose name in the address is empty, and on the queue.
"""


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The ledger that is served, and one that is not."""
    folder = tmp_path_factory.mktemp("safety")
    shown, hidden = f"sqlite:///{folder}/shown.db", f"sqlite:///{folder}/hidden.db"
    run_in_threads(shown, spec(), name="shown")
    run_in_threads(hidden, spec(), name="secret")
    return shown, hidden


VALUES = [(page, value) for value in ("{hidden}", "sqlite:///{hidden}", "/etc/passwd") for page in PAGES]
PLACES = [(page, name) for name in (*ELSEWHERE, "secret") for page in ("verdict", "export", "schedules")]


@pytest.mark.parametrize(("page", "value"), in_short(VALUES, covering(VALUES, parts=lambda row: row)))
def test_neither_address_nor_widget_leads_to_another_ledger(
    urls: tuple[str, str], open_app: Open, opened_files: list[str], page: str, value: str
) -> None:
    shown, hidden = urls
    value = value.format(hidden=hidden.removeprefix("sqlite:///"))
    app = fine(open_app(shown, page, **dict.fromkeys(NAMES, value)))
    assert data.where() == shown
    assert "secret" not in words(app)
    assert app.session_state["experiment"] == "shown"
    assert not touched(opened_files)
    # No widget takes free text.
    widgets = [widget for kind in FREE for widget in app.get(kind)]
    widgets += [widget for widget in (*app.selectbox, *app.multiselect) if widget.proto.accept_new_options]
    assert page == ASKS or {widget.key for widget in widgets} <= FINDS


@pytest.mark.parametrize(("page", "name"), in_short(PLACES, covering(PLACES, parts=lambda row: row)))
def test_an_experiment_is_a_name_and_no_path(
    urls: tuple[str, str], open_app: Open, opened_files: list[str], page: str, name: str
) -> None:
    app = fine(open_app(urls[0], page, experiment=name))
    if page != "schedules":
        assert not app.dataframe
        assert not app.code
        assert "has no experiment" in app.error[0].value
    assert not touched(opened_files)


@pytest.mark.parametrize("text", [*ELSEWHERE[:3], "{hidden}", "user_module:Lion", "dataset:../../etc/passwd"])
def test_free_text_leads_nowhere(
    urls: tuple[str, str],
    open_app: Open,
    opened_files: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    """Where an experiment is asked for, texts are looked at, and go into a command."""
    text = text.format(hidden=urls[1])
    (tmp_path / "user_module.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "user_module", raising=False)
    app = fine(open_app(urls[0], ASKS, find=text))
    for widget in (*app.text_input, *app.text_area):
        widget.set_value(text[: widget.proto.max_chars or None])
    for widget in app.multiselect:
        widget.set_value([text])
    app = fine(app.run())
    assert any(code.value.startswith("cooldown submit digits") for code in app.code)
    assert "user_module" not in sys.modules
    assert not touched(opened_files)
    assert [summary.name for summary in Ledger(urls[0]).summaries()] == ["shown"]


def test_a_choice_that_was_not_offered_is_not_taken(urls: tuple[str, str], open_app: Open) -> None:
    """As a reader with a connection of his own could send it."""
    app: Any = open_app(urls[0], "verdict", experiment="shown")
    with pytest.raises(ValueError, match="is not in list"):
        app.sidebar.selectbox(key="experiment").select("secret").run()


def test_a_module_that_a_ledger_names_is_not_imported(
    tmp_path: Path, url: str, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server's process does before anything else; `--trust` leaves it out."""
    with importable("mine_for_safety", tmp_path, monkeypatch):
        run_in_threads(url, spec(arms=("mine_for_safety:Lion", "adam"), epochs=2), name="mine")
    Arm.parse.cache_clear()
    monkeypatch.setattr(trust._Process, "trusted", trust.EVERY)
    trust.trust_nothing()
    monkeypatch.syspath_prepend(tmp_path)
    winners = Ledger(url).winners()["mine"]
    for page in ABOUT_ONE:
        app = fine(open_app(url, page, experiment="mine"))
        assert not app.error
        said = app.warning[0].value.replace("\\", "")
        assert said.startswith(
            "optimizer 'mine_for_safety:Lion' is code in the module 'mine_for_safety', which would be "
        )
        assert f"imported from {tmp_path / 'mine_for_safety.py'}. It was not imported: " in said
        table = app.dataframe[0].value.set_index("Arm")
        for arm in ("mine_for_safety:Lion", "adam"):
            losses = [winner.test_loss for winner in winners if winner.arm == arm]
            assert table["Test loss"][arm] == pytest.approx(sum(losses) / len(losses))
        assert "--trust" in words(app)
    assert "mine" in listed(open_app(url))
    assert "mine_for_safety" not in sys.modules
    with pytest.raises(InputError, match="It was not imported"):
        Arm.parse("os:abort")


@pytest.mark.processes
def test_the_server_imports_modules_only_where_it_is_told_to() -> None:
    program = """
import os
import cooldown.dashboard.server
for flag in "01":
    if os.fork() == 0:
        os.environ["COOLDOWN_TRUST"] = flag
        import cooldown.dashboard.__main__
        from cooldown.objectives.trust import _Process
        print(flag, bool(_Process.trusted), flush=True)
        os._exit(0)
    os.wait()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False", "1", "True"]


def touched(opened: list[str]) -> list[str]:
    return [path for path in opened if Path(path).name in ("passwd", "hidden.db")]
