"""How numbers are written for people: the one formatter of terminal, report and dashboard.

A column of a table, or a sentence, says what kind of number it shows (`Form`); this module alone knows how many digits
that deserves, and which signs stand for minus, infinity and what is missing.
"""

import math
import re
from enum import Enum
from typing import Any

from cooldown.objectives.plain_text import visible

MISSING = "–"
MINUS = "−"

SMALL = 1e-3
"""Below this, four decimals would leave one or two digits of a number: three significant ones are shown."""


MANY = 1e6
"""From here on a number is read by its power of ten."""

SHORT = 0.05
"""Seconds below which one decimal would leave nothing."""


class Form(Enum):
    """What kind of value is shown; the format specification of its numbers."""

    TEXT = ""
    ARM = " "
    """An arm's name, which is shortened where there is little room."""
    LOSS = ",.4f"
    DIFFERENCE = "+,.4f"
    SCORE = ".3f"
    SCORE_DIFFERENCE = "+.3f"
    SHARE = "%"
    """A fraction of 1, in whole percent."""
    PROBABILITY = "P"
    """A fraction of 1, too, in as many digits as it takes to see that it is below 1."""
    RATIO = ".3f"
    COUNT = ",.0f"
    SECONDS = ",.1f"
    WIDTH = ".2f"
    TARGET = "#,.4g"
    """In the units of a user's target: of any size, and whole from 1,000 on."""
    VALUE = ".5g"
    """A hyperparameter: as many digits as a β near 1 needs."""
    READING = ".3g"
    """A number of any size of which three digits are of interest, such as a learning rate; whole from 1,000 up to a
    million.
    """

    @property
    def is_number(self) -> bool:
        """Whether values of this form are numbers, which are set flush right."""
        return self not in (Form.TEXT, Form.ARM)


def formatted(value: Any, form: Form = Form.VALUE) -> str:
    """A value as a reader sees it; "–" for None and NaN, "yes" or "no" for a flag, a text as it is."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return visible(value)
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if form is Form.SHARE:
        return percent(value)
    if form is Form.PROBABILITY:
        return likelihood(value)
    text = format(value, _specification(abs(value), form))
    if not any(digit in text for digit in "123456789"):
        # Zero has no sign.
        text = text.lstrip("+-")
    # Only the sign: an exponent's is typed again, as in 1e-08.
    return MINUS + text[1:] if text.startswith("-") else text


def _specification(size: float, form: Form) -> str:
    """The format of a number of this size."""
    if form in (Form.LOSS, Form.DIFFERENCE) and 0 < size < SMALL:
        return ".3g" if form is Form.LOSS else "+.3g"
    if size >= 1000 and (form is Form.TARGET or (form is Form.READING and size < MANY)):
        return Form.COUNT.value
    if form is Form.SECONDS and 0 < size < SHORT:
        return ".1g"
    return form.value.strip()


def setting(value: Any) -> str:
    """A hyperparameter's value as one reads it: five digits, or its word; "off" for None."""
    return "off" if value is None else formatted(value)


def interval(low: float | None, high: float | None, form: Form = Form.DIFFERENCE) -> str:
    """An interval in brackets; "–" where there is none."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return MISSING
    return f"[{formatted(low, form)}, {formatted(high, form)}]"


def estimate(value: float, low: float | None, high: float | None, form: Form = Form.DIFFERENCE) -> str:
    """A number with its interval, where it has one."""
    if low is None or high is None:
        return formatted(value, form)
    return f"{formatted(value, form)} {interval(low, high, form)}"


def counted(number: int, thing: str) -> str:
    """`1 arm`, `2 arms`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def percent(fraction: float) -> str:
    """A fraction in whole percent, `8 %`; below one percent, with the digit that there is, `0.3 %`."""
    value = 100 * abs(fraction)
    text = f"{value:,.0f}" if value >= 0.95 or value == 0 else f"{value:.1g}"
    return f"{MINUS if fraction < 0 and value else ''}{text} %"


def unparted(text: str) -> str:
    """The text with a space before each "%" at which no line ends."""
    return re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", text)


def confidence(level: float) -> str:
    """The confidence of an interval with this error rate: `95 %`, `98.2 %`."""
    return f"{100 * (1 - level):.3g} %"


def likelihood(probability: float) -> str:
    """A probability in a sentence: `93 %`, `99.4 %`, `> 99.9 %`."""
    if probability > 0.999:
        return "> 99.9 %"
    value = 100 * probability
    return f"{value:.1f} %" if value > 99 else f"{value:.0f} %"


def duration(seconds: float) -> str:
    """`75` as `1 min 15 s`, `7500` as `2 h 5 min`: as precise as an estimate is."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{round(hours / 24)} days"
