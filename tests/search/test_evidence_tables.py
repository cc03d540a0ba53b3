"""A table of evidence is one value, and a number is formatted in one place."""

from typing import Any

import pytest
from rich.console import Console

from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.numbers import Form, estimate, formatted, interval, setting
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.report.blocks import rendered

NAN, INF = float("nan"), float("inf")
JOINT = "momentum,nag,adam,adamw,rmsprop,adagrad+cosine,sgdr"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, Form.LOSS, "–"),
        (NAN, Form.LOSS, "–"),
        (INF, Form.VALUE, "∞"),
        (-INF, Form.LOSS, "−∞"),
        (True, Form.TEXT, "yes"),
        (False, Form.COUNT, "no"),
        ("step", Form.VALUE, "step"),
        (1234567, Form.COUNT, "1,234,567"),
        (0.06504, Form.LOSS, "0.0650"),
        (23323.5, Form.LOSS, "23,323.5000"),
        (0.00001234, Form.LOSS, "1.23e-05"),
        (-0.00001234, Form.DIFFERENCE, "−1.23e-05"),
        (0.0112, Form.DIFFERENCE, "+0.0112"),
        (-0.0112, Form.DIFFERENCE, "−0.0112"),
        (0.0, Form.DIFFERENCE, "0.0000"),
        (-0.0, Form.LOSS, "0.0000"),
        (-0.00004, Form.SCORE, "0.000"),
        (0.137, Form.SHARE, "14 %"),
        (0.003, Form.SHARE, "0.3 %"),
        (0.9999, Form.PROBABILITY, "> 99.9 %"),
        (0.137, Form.PROBABILITY, "14 %"),
        (1026.4, Form.READING, "1,026"),
        (1.5e9, Form.READING, "1.5e+09"),
        (0.0349, Form.READING, "0.0349"),
        (0.032, Form.SECONDS, "0.03"),
        (1234.5, Form.SECONDS, "1,234.5"),
        (0.999123, Form.VALUE, "0.99912"),
        (0.000349, Form.VALUE, "0.000349"),
        (1e-8, Form.VALUE, "1e-08"),
    ],
)
def test_a_number_is_written_as_its_form_says(value: Any, form: Form, text: str) -> None:
    assert formatted(value, form) == text


def test_intervals_and_settings() -> None:
    assert interval(-0.01, 0.02) == "[−0.0100, +0.0200]"
    assert interval(None, 0.02) == interval(NAN, NAN) == "–"
    assert estimate(0.01, None, None) == "+0.0100"
    assert estimate(0.01, 0.0, 0.02) == "+0.0100 [0.0000, +0.0200]"
    assert (setting(None), setting(True), setting(0.1234567)) == ("off", "yes", "0.12346")


TABLE = Table(
    (
        ARM,
        # A title that holds the words of other columns says nothing of its numbers.
        Column("yellowfin.learning_rate", Form.VALUE),
        Column("Change", Form.DIFFERENCE, ends=True),
        Column("Notes", wide=True),
        Column("Nothing", Form.LOSS),
    ),
    [(JOINT, 0.000349, (-0.5, 0.25), "first", None), ("adam", 0.1, None, "second", None)],
    "What is in it.",
    frozenset({1}),
    "A note.",
)


def printed(table: Table, width: int) -> str:
    console = Console(width=width, markup=False, highlight=False)
    with console.capture() as captured:
        console.print(Printed(table))
    return captured.get()


def test_three_renderers_show_the_same_texts() -> None:
    texts = TABLE.texts()
    assert texts[0] == (JOINT, "0.000349", "[−0.5000, +0.2500]", "first", "–")
    page = rendered(TABLE)
    assert list(page.rows) == texts
    assert (page.caption, page.strong) == ("What is in it.", frozenset({1}))
    wide = printed(TABLE, 120)
    assert all(text in wide for row in texts for text in row[1:])
    assert JOINT not in wide, "a long name is shortened where there is little room"
    assert "first" not in printed(TABLE, 70), "a column that needs room is left out where there is little"


def test_a_frame_holds_the_values_and_both_ends_of_an_interval() -> None:
    frame = TABLE.frame()
    assert list(frame) == ["Arm", "yellowfin.learning_rate", "Change from", "Change to", "Notes", "Nothing"]
    assert frame["yellowfin.learning_rate"].tolist() == [0.000349, 0.1]
    assert frame["Change from"].tolist()[0] == -0.5


def test_a_choice_of_rows_says_of_how_many() -> None:
    assert rendered(TABLE.head(1), more="All: `cooldown`.").note == "A note. 1 of 2 rows. All: `cooldown`."
    assert rendered(TABLE, most=1).note == "A note. 1 of 2 rows."
    assert TABLE.sorted(lambda row: row[0]).values("Arm") == ["adam", JOINT]
    assert TABLE.without_empty_columns().titles == ["Arm", "yellowfin.learning_rate", "Change", "Notes"]
    assert TABLE.take([]).without_empty_columns().titles == TABLE.titles
