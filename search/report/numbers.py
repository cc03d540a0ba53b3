"""Numbers in a report's tables: as many digits as they deserve, the same for all of a kind."""

import math
from typing import Any

UNKNOWN = "–"

FORMS = (
    (("importance", "share", "saved", "diverged"), ".0%"),
    (("gradient evaluations", "evaluations"), ",.0f"),
    (("seconds",), ",.1f"),
    (("difference", "change"), "+.4f"),
    (("score",), ".3f"),
    (("loss", "best", "low", "high", "quartile", "band", "mean", "tuned", "default", "± repeats", "from", "to"), ".4f"),
)
"""By the words of a column's title, the first that is in it."""

SMALL = 5e-5
"""Below this nothing would be left of a number with four decimals."""


def cell(value: Any, about: str = "") -> str:
    """A value as a cell shows it. about: its column's title, which says what kind of number it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        if math.isinf(value):
            return "∞" if value > 0 else "-∞"
        return number(value, _form(about))
    return f"{value:,}"


def number(value: float, form: str = "") -> str:
    """A finite number in the form given, or where that would leave nothing of it, with three digits."""
    if form.endswith("4f") and 0 < abs(value) < SMALL:
        return f"{value:{'+' if form.startswith('+') else ''}.3g}"
    if not form:
        return setting(value)
    text = format(value, form)
    # Zero has no sign.
    return text if any(digit in text for digit in "123456789") else text.lstrip("+-")


def setting(value: Any) -> str:
    """A hyperparameter's value: with five digits, or its word."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.5g}"


def interval(low: float | None, high: float | None, form: str = "+.4f") -> str:
    """An interval in brackets; a dash where there is none."""
    return UNKNOWN if low is None or high is None else f"[{number(low, form)}, {number(high, form)}]"


def optional(value: float | None, form: str) -> str:
    """A number in the form given; a dash where there is none."""
    return UNKNOWN if value is None or math.isnan(value) else number(value, form)


def _form(about: str) -> str:
    title = about.lower()
    return next((form for names, form in FORMS if any(name in title for name in names)), "")
