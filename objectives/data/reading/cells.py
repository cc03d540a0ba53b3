"""Single cells as numbers and labels: plain functions, which an exported program has copies of."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 64
"""Characters that a number or a date has at most."""

SPACES = "\u00a0\u202f\u2009\u2007"
"""Spaces of several widths, which group digits like a plain one."""


def typed(text: str) -> str:
    """A text with plain spaces, apostrophes and minus signs, and no blanks around it."""
    for space in SPACES:
        text = text.replace(space, " ")
    return text.replace("’", "'").replace("−", "-").strip()


def number(text: str, decimal: str, group: str, affixes: tuple[str, ...]) -> float:
    """The number that a text is in a notation, NaN for a text that is none. affixes: what stands around the digits."""
    text = typed(text)
    negative = text.startswith("(") and text.endswith(")")
    text = text[1:-1] if negative else text
    for affix in affixes:
        text = text.replace(affix, "")
    for mark in (group, " "):
        text = text.replace(mark, "") if mark else text
    try:
        value = float(int(text, 16)) if decimal == "" else float(text.replace(decimal, "."))
    except (ValueError, OverflowError):
        return float("nan")
    return -value if negative else value


def label(cell: Any, missing: tuple[str, ...], booleans: bool) -> Any:
    """A cell as a label: a text without blanks around it, NaN for one of the texts that are missing.

    booleans: whether it is True or False, in whatever way it is written.
    """
    text = str(cell).strip()
    if text in missing:
        return float("nan")
    return text.capitalize() if booleans else text


def date_numbers(days: "pd.DatetimeIndex") -> "NDArray[np.float64]":
    """(n, 4) year, month, day of the week (0 is Monday) and days since 1970 of dates (n,); NaN for a missing one."""
    elapsed = (days - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")
    return np.column_stack([days.year, days.month, days.day_of_week, elapsed]).astype(np.float64)
