"""A stranger's ledger may hold any text: no command, no report and no file passes it on raw."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from search_runs import run_in_threads, spec

from cooldown.objectives.plain_text import UNSAFE
from cooldown.search.cli.screen import Screen
from cooldown.search.export import formats
from cooldown.search.export.literals import literal
from cooldown.search.report import report
from cooldown.storage import Ledger

EVIL = "\x9b31mevil\u202e\u200b<b>&\U000e0041"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A finished experiment whose name and message somebody has edited."""
    path = tmp_path_factory.mktemp("evil") / "it.db"
    run_in_threads(f"sqlite:///{path}", spec(repeats=1), name="tiny")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE cooldown_experiments SET name = ?, message = ?", (EVIL.replace("\x9b", ""), EVIL))
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    "command",
    [["list"], ["show"], ["show", "pairs"], ["trials"], ["trials", "--csv"], ["export"], ["export", "-f", "toml"]],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_no_command_prints_it_raw(command: list[str], as_json: bool, run_here: Any, ledger: str) -> None:
    verb, *more = command
    if as_json and (more[:1] == ["--csv"] or verb == "export"):
        return
    name = EVIL.replace("\x9b", "")
    arguments = [verb, *([] if verb == "list" else [name]), *more, *(["--json"] if as_json else []), "--db", ledger]
    code, out, err = run_here(*arguments)
    assert (code, err) == (0, "")
    assert not UNSAFE.search(out)
    if as_json and verb == "list":
        assert [each["name"] for each in json.loads(out)] == [name]


def test_a_message_shows_it_as_escapes(run_here: Any, ledger: str) -> None:
    code, out, err = run_here("resume", f"{EVIL[1:]}x", "--db", ledger)
    assert (code, out) == (2, "")
    assert r"evil\u202e\u200b<b>&\U000e0041" in err
    assert not UNSAFE.search(err)


def test_nor_does_the_report(ledger: str) -> None:
    page = report(Ledger(ledger).load(EVIL.replace("\x9b", "")))
    shown = page.replace(page[page.index("<script") : page.rindex("</script>")], "")
    assert not UNSAFE.search(shown)
    assert r"evil\u202e\u200b&lt;b&gt;&amp;\U000e0041" in shown


def test_a_console_keeps_its_own_escape_sequences() -> None:
    screen = Screen()
    screen._force_terminal, screen.file, screen._color_system = True, io.StringIO(), None
    screen.print(f"{EVIL}\nsecond line\ttab")
    assert screen.file.getvalue().splitlines()[0] == r"\x9b31mevil\u202e\u200b<b>&\U000e0041"
    screen.control(*[])
    screen.show_cursor()
    assert screen.file.getvalue().endswith("\x1b[?25h")


def test_a_cell_of_a_csv_file_is_no_formula() -> None:
    table = pd.DataFrame({"=name": ["=1+1", "@x", "-y", "fine"], "number": [-1.5, 2.0, float("nan"), 0.0]})
    entry = formats.get("csv")
    content = entry.write(table).decode()
    rows = list(csv.reader(io.StringIO(content)))
    assert rows == [["'=name", "number"], ["'=1+1", "-1.5"], ["'@x", "2.0"], ["'-y", ""], ["fine", "0.0"]]


def test_exported_code_has_escapes(tmp_path: Path) -> None:
    text = EVIL + "\ufe0f\u034f\ud800\"'\\"
    source = literal(text)
    assert eval(source) == text
    assert not UNSAFE.search(source)
