"""Tables in a terminal of any width, and in a pipe: no name and no number is ever broken."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cooldown.search.cli.screen import Screen
from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import ARM, Column, Table

WORDS = "what it is for, in words that may stand on several lines"
TABLE = Table(
    (ARM, Column("Test loss", Form.LOSS), Column("Interval", Form.RATIO, ends=True), Column("About", prose=True)),
    [("momentum+cosine", 0.1234, (0.951, 1.052), WORDS), ("adam", 1234.5, (0.5, 2.0), "short")],
)
WHOLE = ("momentum+cosine", "0.1234", "[0.951, 1.052]", "adam", "1,234.5000", "[0.500, 2.000]")


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


def printed(table: Table, width: int) -> str:
    console = Console(width=width, markup=False, highlight=False, file=io.StringIO())
    console.print(Printed(table), crop=False)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@given(st.integers(1, 200))
def test_no_name_and_no_number_is_broken(width: int) -> None:
    text = printed(TABLE, width)
    assert all(whole in text for whole in WHOLE)
    assert " ".join(text.split()).count("several") == 1


def test_prose_is_wrapped_before_rows_are_stacked() -> None:
    head, *lines = printed(TABLE, 80).splitlines()
    assert head.split() == ["Arm", "Test", "loss", "Interval", "About"]
    start = head.index("About")
    assert lines[0][:start].split() == ["momentum+cosine", "0.1234", "[0.951,", "1.052]"]
    assert " ".join(line[start:].strip() for line in lines[:-1]) == WORDS
    assert lines[-1].split() == ["adam", "1,234.5000", "[0.500,", "2.000]", "short"]
    stacked = printed(TABLE, 50).splitlines()
    assert stacked[:3] == ["Arm        momentum+cosine", "Test loss  0.1234", "Interval   [0.951, 1.052]"]
    assert " ".join(line[11:].strip() for line in stacked[3 : stacked.index("")]) == WORDS
    assert max(map(len, stacked)) <= 50


def test_what_there_is_room_for_is_shown_and_no_more() -> None:
    table = Table(
        (Column("Name"), Column("First", wide=True), Column("Second", wide=True)), [("a" * 10, "b" * 10, "c" * 10)]
    )
    shown = {width: printed(table, width).splitlines()[0].split() for width in (40, 30, 20)}
    assert shown == {40: ["Name", "First", "Second"], 30: ["Name", "First"], 20: ["Name"]}


def test_a_row_is_one_line_in_a_pipe() -> None:
    table = Table((Column("Name"), Column("About", prose=True)), [("a" * 200, f"{WORDS}\n  {WORDS}"), ("b", WORDS)])
    pipe = Screen()
    pipe.file = io.StringIO()
    pipe.print(Printed(table))
    lines = pipe.file.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1].split("  ")[-1] == f"{WORDS} · {WORDS}"


@pytest.mark.parametrize("before", range(20))
def test_a_percentage_and_an_interval_stay_in_one_line_of_prose(before: int) -> None:
    screen = Screen()
    screen.file = Terminal()
    screen._width, screen._height = 40, 20
    screen.print(Text(f"{'x' * before} is 27 % lower with [−0.2294, −0.1288] and {'y' * before}"))
    lines = screen.file.getvalue()
    assert "27 %" in lines
    assert "[−0.2294, −0.1288]" in lines
    assert all(len(line) <= 40 for line in lines.splitlines())


def test_prose_is_not_broken_in_a_number() -> None:
    columns = (Column("Leader", prose=True), Column("Ahead in"))
    text = printed(Table(columns, [("momentum+cosine by 16 % [5 %, 21 %]", "4 of 5")]), 32)
    assert [line[:24].strip() for line in text.splitlines()[1:]] == ["momentum+cosine by", "16 % [5 %, 21 %]"]
