"""Texts that mark a missing cell."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

WORDS = frozenset({"NA", "N/A", "n/a", "None", "NULL", "null"})
"""Words that mark a missing cell in any column, but may also be the name of a class."""

ALWAYS = (
    *("", "NA", "N/A", "n/a", "None", "NULL", "null", "NaN", "nan", "-NaN", "-nan", "<NA>", "#NA", "#N/A", "#N/A N/A"),
    *("1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""Texts that mark a missing cell in any column; pandas' own list."""

SIGNS = frozenset({"?", "-", "--", "–", "—", ".", "..", "...", "*", "n.a.", "n.a", "na", "nan", "none", "null", "n/a"})
SIGNS |= {"#n/a", "<na>", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"}
"""Texts, in lower case, that mark a missing cell in a column of numbers or dates."""


def absent(texts: "pd.Series[Any]", declared: Collection[str]) -> "pd.Series[Any]":
    """Which cells (n,) of a delimited text are missing: empty, or one of `ALWAYS` or of the user's own marks."""
    return texts.isna() | texts.isin([*ALWAYS, *declared])


def signs(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Which cells (n,) are missing if the column holds numbers or dates."""
    return texts.str.lower().isin(SIGNS)
