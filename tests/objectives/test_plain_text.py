"""Text from others: what steers a terminal or deceives a reader is made visible, in every place that shows it."""

import json
import tomllib
import unicodedata

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives.plain_text import (
    FORMULA,
    UNSAFE,
    as_name,
    cell,
    visible,
    visible_in_html,
    visible_in_json,
    visible_in_toml,
)

UNSAFE_TEXT = "a\x1b[31mb\x9bc\u202ed\u200be\ufefff\U000e0041g"


@given(st.text())
def test_no_control_and_no_format_character_is_left(text: str) -> None:
    left = visible(text)
    assert {unicodedata.category(each) for each in left} & {"Cc", "Cf", "Zl", "Zp", "Cs"} <= {"Cc"}
    assert {each for each in left if unicodedata.category(each) == "Cc"} <= {"\t", "\n"}


def test_what_is_visible_stays() -> None:
    for text in ("Größe (m²)", "日本語", "a\tb\nc", "naïve = β₁ · 10⁻³", "🎉"):
        assert visible(text) == text
    assert visible(UNSAFE_TEXT) == r"a\x1b[31mb\x9bc\u202ed\u200be\ufefff\U000e0041g"
    assert visible_in_html(f"<{UNSAFE_TEXT}>") == r"&lt;a\x1b[31mb\x9bc\u202ed\u200be\ufefff\U000e0041g&gt;"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_documents_say_the_same(text: str) -> None:
    as_json = visible_in_json(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(as_json) == {text: text}
    as_toml = visible_in_toml(tomli_w.dumps({text: text}))
    assert tomllib.loads(as_toml) == {text: text}
    assert not UNSAFE.search(as_json + as_toml)


@pytest.mark.parametrize("start", FORMULA)
def test_a_cell_is_no_formula(start: str) -> None:
    assert cell(f"{start}HYPERLINK()").startswith(f"'{visible(start)}")
    assert cell("momentum+cosine") == "momentum+cosine"


@given(st.text())
def test_a_name_can_be_typed(text: str) -> None:
    name = as_name(text)
    assert not name.startswith(("-", " "))
    assert name.isprintable()
    assert not UNSAFE.search(name)
    assert as_name(name) == name


def test_names_after_files() -> None:
    assert [as_name(text) for text in ("-x", "a\tb", "--db", 'it\'s "mine"', "\u202e", "Größe 2")] == [
        "x",
        "a-b",
        "db",
        'it\'s "mine"',
        "",
        "Größe 2",
    ]
