"""Labels, booleans, marks of missing cells, and the options that decide what cells leave open."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError

N = 40


def write(path: Path, **columns: Any) -> Path:
    frame = pd.DataFrame({name: [cell(row) for row in range(N)] for name, cell in columns.items()})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


def number(row: int) -> float:
    return (row * 7 % 11) / 4


def half(row: int) -> int:
    return row % 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


# --- labels


def test_blanks_around_labels_do_not_count(path: Path) -> None:
    write(path, a=lambda row: [" x", "x ", "\u00a0y"][row % 3], y=lambda row: ["yes", "no ", " yes ", "no"][row % 4])
    task = tasks.from_table(path, target="y")
    assert task.labels == ("no", "yes")
    assert sorted(set(task.data[0][:, 0])) == [0, 1]


@pytest.mark.parametrize("word", ["None", "NA", "N/A", "n/a", "null", "NULL"])
def test_a_class_that_may_be_a_missing_cell(word: str, path: Path) -> None:
    write(path, a=number, y=lambda row: [word, "Insomnia"][row % 2])
    with pytest.raises(
        InputError, match=rf"target 'y': '{word}' in row 1 .*20 such cells\): --categories 'y' reads it"
    ):
        tasks.from_table(path, target="y")
    assert tasks.from_table(path, target="y", categories="y").labels == tuple(sorted([word, "Insomnia"]))
    with pytest.raises(InputError, match=r"target 'y': 20 missing \(NaN\), the first in row 1 .*as NA does"):
        tasks.from_table(path, target="y", missing=word)


@pytest.mark.parametrize("word", ["NA", ""])
def test_a_missing_number_of_the_target(word: str, path: Path) -> None:
    write(path, a=number, y=lambda row: word if row == 3 else row / 2)
    with pytest.raises(
        InputError, match=r"1 missing \(NaN\), the first in row 4 .*is empty, or marks a missing one as NA"
    ):
        tasks.from_table(path, target="y")


def test_classes_plus_and_minus(path: Path) -> None:
    write(path, a=number, y=lambda row: "+-"[row % 2])
    assert tasks.from_table(path, target="y").labels == ("+", "-")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_booleans_are_the_same_in_whatever_way_they_are_written(suffix: str, tmp_path: Path) -> None:
    found = set()
    for place, (yes, no) in enumerate([(True, False), ("True", "False"), ("true", "FALSE "), ("TRUE", "false")]):
        file = write(tmp_path / f"{place}{suffix}", a=lambda row, of=(no, yes): of[row % 3 == 0], b=number, y=half)
        task = tasks.from_table(file, target="y")
        assert task.columns[1].kind == "booleans"
        found.add(task.fingerprint())
    assert len(found) == 1


def test_integers_beyond_64_bits(path: Path) -> None:
    write(path, a=lambda row: 10**22 + 10**9 * row, y=half)
    assert tasks.from_table(path, target="y").columns[1].how == "as written, to 16 digits"
    write(path, a=number, y=lambda row: 10**19 + row % 2)
    with pytest.raises(InputError, match=r"whole numbers beyond 2\^63, such as 10000000000000000001.*--categories 'y'"):
        tasks.from_table(path, target="y")
    assert len(tasks.from_table(path, target="y", categories="y").labels) == 2


# --- numbers


@pytest.mark.parametrize("mark", ["?", "-", "--", ".", "n/a", "N/A", "NaN", "nan", "na", "null", "None", "#DIV/0!", ""])
def test_marks_of_missing_numbers(mark: str, path: Path) -> None:
    write(path, a=lambda row: mark if row % 5 == 0 else number(row), y=half)
    task = tasks.from_table(path, target="y")
    assert task.categorical == ()
    assert np.isnan(task.data[0][:, 0]).tolist() == [row % 5 == 0 for row in range(N)]
    assert task.columns[1].missing == 8


@pytest.mark.parametrize("distinct", [2, 5, 40])
def test_a_text_among_numbers_is_refused_at_any_number_of_values(distinct: int, path: Path) -> None:
    write(path, a=lambda row: "unknown" if row == 5 else row % distinct, b=number, y=half)
    with pytest.raises(
        InputError, match=r"column 'a': 'unknown' in row 6 .*39 of 40 cells.*--missing .*--categories 'a'"
    ):
        tasks.from_table(path, target="y")
    assert np.isnan(tasks.from_table(path, target="y", missing="unknown").data[0][5, 0])
    assert tasks.from_table(path, target="y", categories="a").categorical == (0,)


def test_a_mark_that_is_a_number(path: Path) -> None:
    write(path, a=lambda row: -999 if row == 5 else row, y=half)
    assert np.isnan(tasks.from_table(path, target="y", missing="-999").data[0][5, 0])


def test_a_file_with_semicolons_has_points_for_thousands_unless_some_are_decimal(tmp_path: Path) -> None:
    def read(other: str, **options: Any) -> Any:
        rows = "".join(f"{1 + row % 9}.{100 + row};{other.format(row)};{row % 2}\n" for row in range(N))
        (tmp_path / "t.csv").write_text(f"a;b;y\n{rows}")
        return tasks.from_table(tmp_path / "t.csv", target="y", **options).data[0][0].tolist()

    assert read("{}.5") == [1.1, 0.5]
    for other in ("{}", "{},5"):
        with pytest.raises(InputError, match=r"column 'a': '1\.100' in row 1 .* can be 1\.1 or 1100: --decimal"):
            read(other)
    assert read("{},5", decimal=",") == [1100, 0.5]
    assert read("{}", decimal=".") == [1.1, 0]


def test_a_german_file_is_the_same_with_points(tmp_path: Path) -> None:
    text = "größe;gewicht;y\n" + "".join(f"{row},5;{row * 3 % 7},25;{row % 2}\n" for row in range(N))
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "b.csv").write_text(text.replace(",", "."))
    one, two = (tasks.from_table(tmp_path / name, target="y") for name in ("a.csv", "b.csv"))
    assert one.fingerprint() == two.fingerprint()


# --- options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"decimal": ";"}, "decimal: should be '.' or ',', got ';'"),
        ({"drop": "b"}, "drop: unknown column 'b'"),
        ({"dates": ["b=%Y"]}, "dates: unknown column 'b'"),
        ({"categories": 3}, "categories: should be texts, got 3"),
        ({"drop": "a", "dates": "a"}, "column 'a' is in both drop and dates"),
        ({"drop": "y"}, "column 'y' is in both drop and target"),
        ({"dates": "y"}, "column 'y' is in both dates and target"),
        ({"drop": "a", "sample_weight": "a"}, "column 'a' is in both drop and sample_weight"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], said: str, path: Path) -> None:
    write(path, a=number, y=half)
    with pytest.raises(InputError, match=said):
        tasks.from_table(path, target="y", **options)


def test_kind(path: Path) -> None:
    write(path, a=number, y=lambda row: row % 3)
    assert tasks.resolve(str(path), target="y").kind == "classification"
    assert tasks.resolve(str(path), target="y", kind="regression").kind == "regression"
    with pytest.raises(InputError, match="kind 'regression' is for a CSV or Parquet file or for openml:NAME"):
        tasks.resolve("iris", kind="regression")
    with pytest.raises(InputError, match="decimal ',' is for a task that is a file; 'iris' is none"):
        tasks.resolve("iris", reading=tasks.Reading(decimal=","))


# --- a test set is read by the decisions of the training rows


def test_cells_of_a_test_set_are_read_like_those_of_the_training_rows(tmp_path: Path) -> None:
    train = "a;b;when;c;y\n" + "".join(
        f"{row},5;{row * 40 % 990}.123,5;{1 + row % 28:02d}/01/2020;{'xz'[row % 2]};{row % 2}\n" for row in range(1, N)
    )
    (tmp_path / "train.csv").write_text(train)
    # Alone these could be read in another way, or in none.
    (tmp_path / "test.csv").write_text("a;b;when;c;y\n1,125;1.250;01/02/2020;x;0\n-;2.500;03/02/2020;x;1\n")
    task = tasks.from_table(tmp_path / "train.csv", target="y", test=tmp_path / "test.csv", dates=["when"])
    X = task.data[0][-2:]
    np.testing.assert_array_equal(X[:, :4], [[1.125, 1250, 2020, 2], [np.nan, 2500, 2020, 2]])
    (tmp_path / "test.csv").write_text("a;b;when;c;y\n1.5;1.250;01/02/2020;x;0\n2.5;2.500;03/02/2020;x;1\n")
    with pytest.raises(InputError, match=r"column 'a': must hold numbers \(decimal comma\) .*got '1.5' in row 1"):
        tasks.from_table(tmp_path / "train.csv", target="y", test=tmp_path / "test.csv", dates="when")
    (tmp_path / "test.csv").write_text("a;b;when;c;y\n1,5;1.250;soon;x;0\n2,5;2.500;03/02/2020;x;1\n")
    with pytest.raises(InputError, match=r"test\.csv.*column 'when': 'soon' in row 1 .* is not a date"):
        tasks.from_table(tmp_path / "train.csv", target="y", test=tmp_path / "test.csv", dates="when")


def test_booleans_of_a_test_set_are_booleans(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", flag=lambda row: row % 3 == 0, a=number, y=half)
    test = tmp_path / "test.csv"
    test.write_text("flag,a,y\ntrue,1,0\nFALSE,2,1\n,3,1\n")
    X = tasks.from_table(train, target="y", test=test).data[0]
    np.testing.assert_array_equal(X[-3:, 0], [1, 0, np.nan])
    test.write_text("flag,a,y\ntrue,1,0\nyes,2,1\n")
    with pytest.raises(InputError, match=r"column 'flag': must hold True and False .*got 'yes' in row 2"):
        tasks.from_table(train, target="y", test=test)


def test_cells_that_are_very_long_are_labels(path: Path) -> None:
    write(path, a=lambda row: "0x" + "f" * (10_000 + row % 2), y=half, b=lambda row: "a 1" * 5_000 * (row % 2 + 1))
    assert [column.kind for column in tasks.from_table(path, target="y").columns] == [
        "numbers",
        "categories",
        "categories",
    ]


CELLS = (
    *(
        "1",
        "2,5",
        "1.5",
        "1,234",
        "1.234,5",
        "€ 5",
        "12%",
        "5 kg",
        "?",
        "-",
        "NA",
        "None",
        "",
        "true",
        "FALSE",
        "12:30",
    ),
    *(
        "2020-01-05",
        "32.13.2020",
        "0000-00-00",
        "1/2/3",
        "Jan 5, 2020",
        "0x1f",
        "abc",
        " x ",
        "inf",
        "1e400",
        "9" * 400,
    ),
    *("1_000", "٣", "½", "()", "(5)", "+", "1e", "..", ",", "5'", "++1", "- 5", "$$5", "P1D", "20200105", '"'),
)


@given(
    pools=st.lists(st.lists(st.sampled_from(CELLS), min_size=1, max_size=4), min_size=1, max_size=3),
    options=st.fixed_dictionaries(
        {},
        optional={
            "decimal": st.sampled_from(".,"),
            "dates": st.sampled_from(["c0", "c0=%d/%m/%Y"]),
            "missing": st.lists(st.sampled_from(CELLS), max_size=2),
        },
    ),
)
def test_any_table_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, pools: list[list[str]], options: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"
    cells = {f"c{place}": [pool[row % len(pool)] for row in range(24)] for place, pool in enumerate(pools)}
    pd.DataFrame({**cells, "y": [0, 1] * 12}).to_csv(path, index=False, sep=";")
    try:
        task = tasks.from_table(path, target="y", **options)
    except InputError:
        return
    assert {column.name for column in task.columns} == {*cells, "y"}
    assert np.isfinite(task.search_problem().model.X).all()  # type: ignore[attr-defined]
