"""The same number is written alike wherever it stands: in the terminal, in the report, and on the pages."""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from page_texts import sentences, tables, texts
from report_pages import read
from search_runs import run_in_threads, spec

from cooldown.dashboard.pages import pages
from cooldown.search import experiments
from cooldown.search.cli import main
from cooldown.search.evidence import SECTIONS
from cooldown.search.evidence.numbers import Form, formatted, interval
from cooldown.search.evidence.tables import arms_table, pairs_table
from cooldown.search.report import report
from cooldown.search.tuning.studies import planned
from cooldown.storage import Ledger

ARMS = ("momentum", "momentum+cosine", "adam", "adam+cosine")
FINISHED = ("iris", "breast_cancer", "diabetes")
NAMES = (*FINISHED, "half")
SHOWN = [(section,) for section in SECTIONS if section != "generalization"]
CHARTS = ["History", "Hyperparameter", "Two hyperparameters", "Importance", "Distribution", "Workers"]
IN_ALL = ("Test loss", "± repeats", "Score", "Ratio", "P(better)")
"""Columns of numbers that all three show."""

SPACE = "\N{NO-BREAK SPACE}"
ALONE = re.compile(r"\d%(?!\{)")
"""A percent sign without its space; `%{` is a place in a chart's hover text."""

BREAKABLE = re.compile(r"\d %(?!\{)")
HYPHEN = re.compile(r"(?:^|(?<=[\s\[(=:|]))-\d")
"""A hyphen in place of a minus sign."""

MANY = re.compile(r"(?<![\d.,:+/#\w])\d{5,}(?![\d.:\-])")
"""A large number without commas."""


@dataclass(frozen=True)
class Told:
    """What the three say of the same experiments. terminal, reports: by experiment."""

    url: str
    terminal: dict[str, str]
    reports: dict[str, str]
    lists: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    url = f"sqlite:///{tmp_path_factory.mktemp('notation')}/all.db"
    for task in FINISHED:
        run_in_threads(url, spec(task=task, arms=ARMS, trials=3, repeats=3, epochs=2), name=task)
    run_in_threads(url, spec(task="wine", arms=ARMS, repeats=2), name="half")
    more = spec(task="wine", arms=ARMS, repeats=3)
    Ledger(url).extend("half", more.to_json(), planned(more), [{"repeats": 3}])
    return Told(
        url,
        {name: "\n".join(_printed("show", name, *words, "--db", url) for words in ((), *SHOWN)) for name in NAMES},
        {name: read(report(experiments.load(name, db=url))).text for name in NAMES},
        "\n".join(_printed(verb, "--db", url) for verb in ("list", "summary")),
    )


def _printed(*arguments: str) -> str:
    """What a command prints in a pipe."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cooldown", *arguments])
        patch.setattr(sys, "stdout", said)
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code
    return said.getvalue()


def _opened(open_app: Callable[..., Any], told: Told, page: str, name: str) -> Any:
    """A page with all its charts and the tables below them."""
    app = open_app(told.url, page, experiment=name, **({"charts": CHARTS} if page == "search" else {}))
    for numbers in (each for each in app.expander if each.label == "The numbers"):
        app.session_state[numbers.proto.id.split("-", 2)[2]] = True
    return app.run()


def _wrong(text: str) -> list[str]:
    return [
        text[max(found.start() - 40, 0) : found.end() + 20]
        for sign in (ALONE, HYPHEN, MANY)
        for found in sign.finditer(text)
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        *(("19%", 1), ("[-0.5, 1]", 1), ("-3", 1), ("took 12345 rows", 1)),
        *(("19 %", 0), ("−3 to 1e-08", 0), ("C1-3", 0), ("12,345", 0), ("0.00012345", 0), ("%{x:.4f} %{y}", 0)),
    ],
)
def test_what_is_looked_for_would_be_found(text: str, wrong: int) -> None:
    assert len(_wrong(text)) == wrong


@pytest.mark.parametrize("name", NAMES)
def test_terminal_and_report_have_our_signs(told: Told, name: str) -> None:
    without_seeds = re.sub(r"seed \d+", "", told.reports[name])
    assert [*_wrong(told.terminal[name]), *_wrong(told.lists), *_wrong(without_seeds)] == []
    assert BREAKABLE.findall(told.reports[name]) == []
    assert f"95{SPACE}%" in told.reports[name]
    assert "95 %" in told.terminal[name]


@pytest.mark.parametrize(
    ("page", "name"),
    [
        *((page.name, "breast_cancer") for page in pages()),
        *((page.name, "half") for page in pages() if page.section == "This experiment"),
    ],
)
def test_pages_have_our_signs(told: Told, open_app: Callable[..., Any], page: str, name: str) -> None:
    app = _opened(open_app, told, page, name)
    assert not app.exception
    said = [re.sub(r"seed \d+", "", text) for text in texts(app)]
    assert said
    assert [wrong for text in said for wrong in _wrong(text)] == []
    assert [text for text in sentences(app) if BREAKABLE.search(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_same_in_the_three(told: Told, open_app: Callable[..., Any], name: str) -> None:
    result = experiments.load(name, db=told.url)
    verdict = result.verdicts[0]
    ratio, ends = formatted(verdict.ratio, Form.RATIO), interval(verdict.low, verdict.high, Form.RATIO)
    app = _opened(open_app, told, "verdict", name)
    page = " ".join(texts(app))
    for text in (told.terminal[name], told.reports[name], page):
        plain = " ".join(text.replace(SPACE, " ").split())
        assert result.answer.sentence in plain
        assert ratio in plain
    assert ends in told.terminal[name]
    assert ends in told.reports[name]
    # The pages sort by the two ends, which so are columns of their own; the chart has them in one.
    assert any(ratio in text and ends in text for text in texts(app))


@pytest.mark.parametrize("name", FINISHED)
def test_tables_are_the_same_in_the_three(told: Told, open_app: Callable[..., Any], name: str) -> None:
    view = experiments.load(name, db=told.url).view
    pairs = pairs_table(experiments.load(name, db=told.url).verdicts)
    shown = [row for table in tables(_opened(open_app, told, "verdict", name)) for row in table]
    report_text = " ".join(told.reports[name].split()).replace(SPACE, " ")
    for table in (arms_table(view), pairs):
        for row in table.texts():
            numbers = [
                text
                for column, text in zip(table.columns, row, strict=True)
                if column.form.is_number and column.title in IN_ALL and not column.ends
            ]
            assert numbers
            assert any(set(numbers) <= set(cells) for cells in shown), (row, shown)
            lines = [re.split(r" {2,}", line) for line in told.terminal[name].splitlines()]
            assert any(line[0] == row[0] and set(numbers) <= set(line) for line in lines)
            assert all(number in report_text for number in numbers)
