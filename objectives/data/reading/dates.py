"""Dates and times in a table: found by their form, and read as numbers where the user asks for it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.reading.cells import LONGEST, date_numbers
from cooldown.objectives.errors import InputError
from cooldown.objectives.quiet import quiet

if TYPE_CHECKING:
    import pandas as pd

FEATURES = ("year", "month", "day of week", "elapsed days")
"""What a date becomes: the year; the month, 1 to 12; the day of the week, 0 for Monday; days since 1 January 1970."""

CLOCK = r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[ap]\.?m\.?)?( ?(z|utc|gmt|[+-]\d{2}:?\d{2}))?"
DAY = r"\d{1,2}(st|nd|rd|th)?\.?"
WORD = r"[^\W\d_]{3,}\.?"
MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
YEAR = r"(19|20)\d{2}"
DAYS = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})",
    rf"{YEAR}[-/](0[1-9]|1[0-2])|(0?[1-9]|1[0-2])/{YEAR}",
    rf"{YEAR}[- ]?[qw]\d{{1,2}}(-\d)?|q[1-4][ /-]{YEAR}",
    rf"({WORD},? )?{DAY}[ /-]*{WORD}[ ,/-]+(\d{{4}}|\d{{2}})",
    rf"({WORD},? )?{WORD}[ /-]+{DAY},?[ /-]+\d{{4}}",
    rf"{MONTH}[ ,'/-]+(\d{{4}}|\d{{2}})",
)
DATE = re.compile(rf"({'|'.join(DAYS)})(,?[ t] ?{CLOCK})?|{YEAR}\d{{4}}(t\d{{4}}(\d\d)?z?)?", re.IGNORECASE)
TIME = re.compile(
    rf"{CLOCK}|[+-]?\d+ days?,?( [+-]?{CLOCK})?|\d+ ?h(ours?)?,? ?\d+ ?m(in(utes?)?)?"
    r"|p(?=\w)(\d+[ymwd])*(t(\d+[hms])+)?",
    re.IGNORECASE,
)
"""A time of the day, or a duration."""

NUMERIC = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
"""The start of a date with its day or its month first."""


def form_of(counts: Mapping[str, int]) -> Literal["dates", "times"] | None:
    """Whether at least half of a column's texts are dates, or dates and times, by their form.

    counts: how often each text occurs.
    """
    short = {text: count for text, count in counts.items() if len(text) <= LONGEST}
    dates = sum(count for text, count in short.items() if DATE.fullmatch(text))
    times = sum(count for text, count in short.items() if TIME.fullmatch(text))
    if not dates + times or 2 * (dates + times) < sum(counts.values()):
        return None
    return "dates" if dates else "times"


@dataclass(frozen=True)
class Dates:
    """How the dates of a column are written.

    format: of `datetime.strptime`; None for dates that are read by their form. day_first: whether 01/02/2020 is in
    February.
    """

    format: str | None = None
    day_first: bool = False

    def features(self, cells: "pd.Series[Any]") -> NDArray[np.float64]:
        """The columns `FEATURES` (n, 4) of dates, or of texts; NaN for a cell that is missing or no date."""
        import pandas as pd

        if cells.dtype.kind == "M":
            return date_numbers(pd.DatetimeIndex(cells).tz_localize(None))
        places, unique = pd.factorize(cells)
        known = self._parsed([str(cell) for cell in unique])
        return date_numbers(pd.DatetimeIndex([*known, pd.NaT])[places])

    def _parsed(self, texts: list[str]) -> "pd.DatetimeIndex":
        """The dates of texts, in UTC where they name a time zone; NaT for another text."""
        import pandas as pd

        if self.format is None:
            # Of others, pandas would read `12` as a day of this month.
            texts = [text if len(text) <= LONGEST and DATE.fullmatch(text) else "" for text in texts]
        form = self.format or "mixed"
        with quiet(UserWarning):
            days = pd.to_datetime(texts, format=form, dayfirst=self.day_first, errors="coerce", utc=True)
        return days.tz_localize(None)


def decide(where: str, column: str, texts: Iterable[str], format: str | None = None) -> Dates:
    """How the dates of a column are written; InputError for dates that can be read in two ways.

    where: the start of messages. texts: all that occur, without those that mark a missing cell.
    """
    if format is not None:
        return _in_format(where, format)
    first: dict[int, str] = {}
    for text in texts:
        if (found := NUMERIC.match(text)) is None:
            continue
        if len(found[3]) == 2:
            raise InputError(
                f"{where}: {text!r} has a year of two digits: give the dates' format, as in --dates '{column}=%d.%m.%y'"
            )
        for place in (1, 2):
            if int(found[place]) > 12:
                first.setdefault(place, text)
        if "." in found[0]:
            first.setdefault(1, text)
        elif not first:
            first.setdefault(0, text)
    if 1 in first and 2 in first:
        raise InputError(f"{where}: {first[1]!r} has its day first, {first[2]!r} its month: write them in one way")
    if 0 in first and len(first) == 1:
        raise InputError(
            f"{where}: {first[0]!r} may have its day or its month first: give the dates' format, as in "
            f"--dates '{column}=%d/%m/%Y'"
        )
    return Dates(day_first=1 in first)


def _in_format(where: str, format: str) -> Dates:
    """Dates in a format; InputError for one that `datetime.strptime` does not know."""
    import pandas as pd

    try:
        pd.to_datetime(["no date"], format=format or "%", errors="coerce")
    except ValueError as error:
        raise InputError(f"{where}: {format!r} is no format of dates, such as %d.%m.%Y: {error}") from None
    return Dates(format)
