"""Numbers in the notation of their column: read back exactly, refused where they can be read in two ways."""

from typing import Any

import numpy as np
import pytest
from covering import covering, in_short
from hypothesis import assume, given
from hypothesis import strategies as st

from cooldown.objectives.data.reading.notation import Notation, Unclear, decide

AMOUNTS = st.lists(st.integers(-(10**12), 10**12), min_size=3, max_size=30, unique=True)


def decided(*texts: str, decimal: str | None = None) -> Notation | Unclear | None:
    return decide(dict.fromkeys(texts, 1), decimal)


def values(texts: list[str], decimal: str | None = None) -> Any:
    notation = decided(*texts, decimal=decimal)
    assert isinstance(notation, Notation), notation
    return notation.values(texts)


def written(cents: int, decimal: str, group: str, affix: str = "{}") -> str:
    """A number of hundredths, as it is written in a notation."""
    text = f"{abs(cents) / 100:,.2f}".replace(",", "G").replace(".", decimal).replace("G", group)
    return ("-" if cents < 0 else "") + affix.format(text)


NOTATIONS = [
    (decimal, group, affix)
    for affix in ("{}", "{} €", "${}", "{} %", "{}kg", "EUR {}", "{} rooms")
    for decimal, groups in ((",", ("", ".", " ", "\u00a0", "\u202f", "\u2009")), (".", (",", "'", "’")))
    for group in groups
]


def _parts(row: tuple[str, str, str]) -> list[object]:
    """Each notation, and each affix with groups that are set apart by a space and with others."""
    decimal, group, affix = row
    return [(decimal, group), (group.isspace(), affix)]


@pytest.mark.parametrize(("decimal", "group", "affix"), in_short(NOTATIONS, covering(NOTATIONS, _parts)))
@given(cents=AMOUNTS)
def test_a_column_in_a_notation_is_read_back_exactly(decimal: str, group: str, affix: str, cents: list[int]) -> None:
    texts = [written(each, decimal, group, affix) for each in cents]
    np.testing.assert_array_equal(values(texts), [float(f"{each / 100:.2f}") for each in cents])


@given(st.lists(st.integers(0, 2**52), min_size=2, max_size=30, unique=True))
def test_hexadecimal(numbers: list[int]) -> None:
    assert values([hex(number) for number in numbers]).tolist() == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=30, unique=True))
def test_plain_numbers_are_what_python_reads(numbers: list[float]) -> None:
    texts = [repr(number) for number in numbers]
    # 1.234 alone could also have groups.
    assert values(texts, ".").tolist() == numbers


@given(st.lists(st.integers(1_000, 999_999), min_size=2, max_size=30, unique=True))
def test_groups_alone_are_refused_unless_the_user_says_how_they_are_read(numbers: list[int]) -> None:
    texts = [f"{number:,}" for number in numbers]
    found = decided(*texts)
    assume(any(number % 1000 for number in numbers))
    assert isinstance(found, Unclear)
    assert "--decimal . or --decimal , decides" in found.reason
    assert values(texts, ".").tolist() == numbers
    assert values(texts, ",").tolist() == [number / 1000 for number in numbers]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["0,125", "0,250"], [0.125, 0.25]),  # no group begins with 0
        (["1,234,567", "12"], [1234567, 12]),  # no number has two decimal marks
        (["12,34,567", "1,00,000"], [1234567, 100000]),  # lakh and crore
        (["(1,234.50)", "2.25"], [-1234.5, 2.25]),  # accountants' negative numbers
        (["−5,5", "+6,25"], [-5.5, 6.25]),
        (["$ -5.5", "-$6.0", "$7"], [-5.5, -6, 7]),
        (["US$5.5", "US$6"], [5.5, 6]),
        (["1.5e3", "2E-2"], [1500, 0.02]),
        ([",5", "7,"], [0.5, 7]),
        (["45%", "50 %"], [45, 50]),
        (["5°C", "-7°C"], [5, -7]),
        (["3 m²", "4 m²"], [3, 4]),
        (["1,5 Mio", "2,25 Mio"], [1.5, 2.25]),
        (["1.2M", "3.4M"], [1.2, 3.4]),
        (["3 sq. ft", "5 sq. ft"], [3, 5]),
        (["CHF 1'234.50", "CHF 2.50"], [1234.5, 2.5]),
    ],
)
def test_notations(texts: list[str], expected: list[float]) -> None:
    assert values(texts).tolist() == expected


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1,5", "2.5"], "'2.5' is in another notation than the cells before it"),
        (["1.234,5", "1,234.5"], "'1,234.5' is in another notation"),
        (["5 kg", "6 kg", "500 g"], r"'500 g' has another unit \(g\) than the first cell \(kg\)"),
        (["$5", "6"], r"'6' has another unit \(none\) than the first cell \(\$\)"),
        (["$5", "€6"], r"another unit \(€\)"),
        (["0.5", "50%"], r"another unit \(%\)"),
        (["1.2M", "3.4K"], r"another unit \(K\)"),
        (["1", "2", "3+"], r"'3\+' is not a number, as 2 of 3 cells are"),
        (["1", "2", "unknown"], "--missing unknown marks it"),
        (["1", "2", "not known"], "--missing 'not known' marks it"),
        (["1", "2", "<3"], "'<3' is not a number"),
        (["0x1f", "31"], "'0x1f' is not a number"),
        (["1,234"], "can be 1.234 or 1234"),
        (["1.234", "950"], "can be 1.234 or 1234"),
        (["$1,234", "$950"], "can be 1.234 or 1234"),
    ],
)
def test_what_is_not_clear_is_refused_by_its_text(texts: list[str], said: str) -> None:
    found = decided(*texts)
    assert isinstance(found, Unclear), found
    import re

    assert re.search(said, f"{found.text!r} {found.reason}")


@pytest.mark.parametrize(
    "texts",
    [
        ["red", "blue"], ["1st", "2nd", "3rd"], ["10-20", "20-30"], ["1.2.3", "1.2.4"], ["10.0.0.1", "10.0.0.2"],
        ["3A", "5B"], ["12 Elm", "13 Oak"], ["00123", "00456"], ["555-1234", "555-9876"], ["red", "blue", "7"],
        ["Q1", "Q2"], ["1 star", "2 stars"], ["+", "x"], ["..", "e5"],
    ],
)  # fmt: skip
def test_labels_are_no_numbers(texts: list[str]) -> None:
    assert decided(*texts) is None


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8, unique=True))
def test_any_text_is_read_refused_or_a_label(texts: list[str]) -> None:
    found = decided(*texts)
    if isinstance(found, Notation):
        assert np.isfinite(found.values(texts)).all() or any("e" in text.lower() for text in texts)
    else:
        assert found is None or found.text in texts


def test_how_a_notation_is_told() -> None:
    assert Notation().in_words == "as written"
    assert Notation(",", ".", "", "€").in_words == "decimal comma, thousands with points, in €"
    assert Notation(hexadecimal=True).in_words == "hexadecimal"
