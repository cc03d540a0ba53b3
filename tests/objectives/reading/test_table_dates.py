"""Dates in a table: refused in any form, and numbers where the user asks for them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cooldown.objectives import tasks
from cooldown.objectives.data.reading.dates import form_of
from cooldown.objectives.errors import InputError

N = 60
DAYS = [date(2020, 1, 1) + timedelta(days=7 * row) for row in range(N)]
NUMBERS = [[day.year, day.month, day.weekday(), (day - date(1970, 1, 1)).days] for day in DAYS]

FORMS: dict[str, Callable[[date], str]] = {
    "iso": lambda day: day.isoformat(),
    "compact": lambda day: day.strftime("%Y%m%dT000000"),
    "with a time": lambda day: f"{day} 00:00",
    "with a zone": lambda day: f"{day}T00:00:00Z",
    "slashes, year first": lambda day: day.strftime("%Y/%m/%d"),
    "points": lambda day: day.strftime("%d.%m.%Y"),
    "day first": lambda day: day.strftime("%d/%m/%Y"),
    "month first": lambda day: day.strftime("%m/%d/%Y"),
    "short month": lambda day: day.strftime("%d-%b-%Y"),
    "words": lambda day: day.strftime("%b %d, %Y"),
    "long words": lambda day: day.strftime("%A, %d %B %Y"),
}


def table(path: Path, cells: list[Any], **options: Any) -> tasks.ArrayTask:
    pd.DataFrame({"when": cells, "a": np.arange(N) % 7, "y": np.arange(N) % 2}).to_csv(path / "t.csv", index=False)
    return tasks.from_table(path / "t.csv", target="y", **options)


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_refused_unless_they_are_asked_for(form: str, tmp_path: Path) -> None:
    cells = [FORMS[form](day) for day in DAYS]
    with pytest.raises(InputError, match=r"column 'when': holds dates such as .*--dates 'when' .*--drop 'when'"):
        table(tmp_path, cells)
    task = table(tmp_path, cells, dates="when")
    np.testing.assert_array_equal(task.data[0][:, :4], NUMBERS)
    assert task.categorical == ()
    assert np.isfinite(task.search_problem().model.X).all()
    assert table(tmp_path, cells, drop=["when"]).data[0].shape == (N, 1)
    assert table(tmp_path, cells, categories=["when"]).categorical == (0,)


@pytest.mark.parametrize("form", FORMS)
def test_one_cell_that_is_no_date(form: str, tmp_path: Path) -> None:
    cells = [FORMS[form](day) for day in DAYS]
    cells[5] = "unknown"
    with pytest.raises(InputError, match="column 'when': holds dates"):
        table(tmp_path, cells)
    with pytest.raises(
        InputError, match=r"'unknown' in row 6 .* is not a date.*--missing 'unknown' marks it as missing"
    ):
        table(tmp_path, cells, dates="when")
    task = table(tmp_path, cells, dates="when", missing="unknown")
    assert np.isnan(task.data[0][5, :4]).all()
    cells[5] = "?"
    (_, told, *_) = table(tmp_path, cells, dates="when").columns
    assert (told.missing, told.kind) == (1, "dates")
    assert "? missing" in told.how


@given(st.lists(st.dates(date(1700, 1, 1), date(2200, 12, 31)), min_size=3, max_size=20))
def test_any_date_is_read_back(days: list[date]) -> None:
    from cooldown.objectives.data.reading.dates import Dates

    found = Dates().features(pd.Series([day.isoformat() for day in days]))
    expected = [[day.year, day.month, day.weekday(), (day - date(1970, 1, 1)).days] for day in days]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["01/02/2020", "03/04/2020"], "'01/02/2020' may have its day or its month first: .*'when=%d/%m/%Y'"),
        (["13/02/2020", "02/13/2020"], "'13/02/2020' has its day first, '02/13/2020' its month"),
        (["01/02/20", "13/04/20"], "'01/02/20' has a year of two digits"),
        (["12:30", "01:15"], r"'12:30' in row 1 .* is not a date \(60 such cells\)$"),
    ],
)
def test_dates_that_can_be_read_in_two_ways_are_refused(cells: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        table(tmp_path, cells * (N // 2), dates="when")


def test_a_format_decides(tmp_path: Path) -> None:
    cells = ["01/02/2020", "03/04/2020"] * (N // 2)
    assert table(tmp_path, cells, dates="when=%d/%m/%Y").data[0][:2, 1].tolist() == [2, 4]
    assert table(tmp_path, cells, dates="when=%m/%d/%Y").data[0][:2, 1].tolist() == [1, 3]
    with pytest.raises(InputError, match=r"'01/02/2020' in row 1 .* is not a date in the format %Y"):
        table(tmp_path, cells, dates="when=%Y")
    for format in ("", "%", "%Q"):
        with pytest.raises(InputError, match=rf"column 'when': '{format}' is no format of dates, such as %d"):
            table(tmp_path, cells, dates=f"when={format}")
    assert table(tmp_path, ["20200131"] * N, dates="when").data[0][0, :3].tolist() == [2020, 1, 4]


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["12:30"], "times"), (["00:05:00"], "times"), (["1:05 pm"], "times"), (["2 days 03:00:00"], "times"),
        (["1h 30m"], "times"), (["P1DT2H"], "times"), (["2020-01"], "dates"), (["2020Q1"], "dates"),
        (["Jan 2020"], "dates"),
        (["5. Januar 2020"], "dates"), (["Jan 5th, 2020"], "dates"), (["Monday"], None), (["January"], None),
        (["2020/21"], None), (["red", "blue", "2020-01-05"], None), (["1.2.3"], None), (["10-20"], None),
    ],
)  # fmt: skip
def test_forms(texts: list[str], form: str | None) -> None:
    assert form_of(dict.fromkeys(texts, 1)) == form


def test_times_are_refused_without_the_advice_of_an_option_for_dates(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        table(tmp_path, [f"{row // 60:02d}:{row % 60:02d}:00" for row in range(N)])
    assert "holds times such as '00:00:00': --drop 'when'" in str(raised.value)
    assert "--dates" not in str(raised.value)


def test_types_of_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame({"stamp": pd.to_datetime(DAYS), "day": DAYS, "y": np.arange(N) % 2})
    frame["zone"] = frame["stamp"].dt.tz_localize("Europe/Berlin")
    frame.loc[3, "stamp"] = pd.NaT
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(
        InputError, match=r"3 columns cannot be read:\n  column 'stamp': holds dates: .*\n  column 'day'"
    ):
        tasks.from_table(tmp_path / "t.parquet", target="y")
    task = tasks.from_table(tmp_path / "t.parquet", target="y", dates=["stamp", "day", "zone"])
    X = task.data[0]
    assert np.isnan(X[3, :4]).all()
    np.testing.assert_array_equal(X[:, 4:], np.column_stack([NUMBERS, NUMBERS]))


def test_the_time_of_the_day_is_part_of_the_elapsed_days(tmp_path: Path) -> None:
    cells = [datetime(2020, 1, 1, 6) + timedelta(days=row) for row in range(N)]
    task = table(tmp_path, cells, dates="when")
    assert task.data[0][0].tolist() == [2020, 1, 2, 18262.25, 0]
