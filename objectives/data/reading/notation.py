"""Numbers in the notation of their column: decimal mark, grouping, currency, percent, units, hexadecimal.

A column has one notation. It is read if all of its notations give the same numbers; `1,234` alone can be read in two
ways, and is refused unless the user says which decimal mark it has.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.reading.cells import LONGEST, number, typed
from cooldown.objectives.data.reading.units import is_affix, is_sign, is_unit

CELL = re.compile(
    r"(?P<sign>[+-]?)\s*(?P<before>[^\d\s.,()'+-][^\d\s.,()'+-]*)?\s*(?P<inner>[+-]?)"
    r"(?P<digits>(?:[0-9](?:[0-9., ']*[0-9])?|[.,][0-9]+)[.,]?)(?P<exponent>[eE][+-]?[0-9]+)?(?P<after>.*)",
    re.DOTALL,
)
HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]{1,16}")
"""Of up to 64 bits: longer ones are keys."""

ACCOUNTED = re.compile(r"\((.*)\)")
"""A negative number as accountants write it."""


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    """Digits in a notation; in groups, of which the first does not begin with 0, and the others have two or three
    digits, the last three.
    """
    point = re.escape(decimal)
    whole = r"[0-9]+"
    if group:
        mark = re.escape(group)
        whole = rf"(?:[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{2,3}})*{mark}[0-9]{{3}}|[0-9]+)"
    return re.compile(rf"{whole}(?:{point}[0-9]*)?|{point}[0-9]+")


# The first of those that fit is told, so that the simplest comes first.
MARKS = [(decimal, group) for group, decimal in product(["", ",", ".", " ", "'"], ".,") if decimal != group]
PATTERNS = {marks: _pattern(*marks) for marks in MARKS}
GROUPS = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}


@dataclass(frozen=True)
class Notation:
    """One notation of numbers. before, after: what stands around each number, "" for nothing."""

    decimal: str = "."
    group: str = ""
    before: str = ""
    after: str = ""
    hexadecimal: bool = False

    @property
    def in_words(self) -> str:
        """What is told of a column in this notation."""
        if self.hexadecimal:
            return "hexadecimal"
        told = ["decimal comma"] * (self.decimal == ",")
        told += [f"thousands with {GROUPS[self.group]}"] if self.group else []
        told += [f"in {affix}" for affix in (self.before, self.after) if affix]
        return ", ".join(told) or "as written"

    @property
    def of_number(self) -> tuple[str, str, tuple[str, ...]]:
        """The arguments of `cells.number` for texts in this notation."""
        affixes = tuple(affix for affix in (self.before, self.after) if affix)
        return "" if self.hexadecimal else self.decimal, self.group, affixes

    def values(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The numbers (n,) of texts in this notation, NaN for one that is not in it."""
        return np.array([self._value(text) for text in texts], np.float64)

    def _value(self, text: str) -> float:
        if self.hexadecimal:
            return number(text, *self.of_number) if HEXADECIMAL.fullmatch(text) else np.nan
        parts = split(text)
        if parts is None or (parts.before, parts.after) != (self.before, self.after):
            return np.nan
        return parts.value(self.decimal, self.group)


@dataclass(frozen=True)
class Parts:
    """A text that may be a number: its digits with their marks, and what stands around the number."""

    text: str
    digits: str
    before: str
    after: str

    @property
    def fitting(self) -> frozenset[tuple[str, str]]:
        """The decimal mark and the grouping of all notations that the digits are in."""
        return frozenset(marks for marks, pattern in PATTERNS.items() if pattern.fullmatch(self.digits))

    def value(self, decimal: str, group: str) -> float:
        """The number in a notation, NaN if the digits are not in it."""
        if not PATTERNS[decimal, group].fullmatch(self.digits):
            return np.nan
        return number(self.text, decimal, group, tuple(filter(None, (self.before, self.after))))


def split(text: str) -> Parts | None:
    """The parts of a text that may be a number, None for any other text."""
    if len(text) > LONGEST:
        return None
    text = typed(text)
    accounted = ACCOUNTED.fullmatch(text)
    found = CELL.fullmatch(accounted[1] if accounted else text)
    if found is None or (found["sign"] and found["inner"]):
        return None
    before, after = found["before"] or "", found["after"]
    if accounted and (found["sign"] or found["inner"]):
        return None
    if (before and not is_sign(before)) or (after and not is_affix(after)):
        return None
    return Parts(text, found["digits"], before, after.strip())


@dataclass(frozen=True)
class Unclear:
    """A column that holds numbers, but cannot be read. text: the first cell in the way. reason: what is wrong with it,
    after its text and place.
    """

    text: str
    reason: str


def decide(counts: Mapping[str, int], decimal: str | None = None) -> Notation | Unclear | None:
    """The notation of a column's texts, or why it has none; None for a column that does not hold numbers.

    counts: how often each text occurs, in the order of their first rows, without those that mark a missing cell.
    decimal: the decimal mark of texts that can be read in two ways, None if there is no such mark.
    """
    if all(HEXADECIMAL.fullmatch(text) for text in counts):
        return Notation(hexadecimal=True)
    numbers = {text: parts for text in counts if (parts := split(text)) is not None and parts.fitting}
    words = {parts.after for parts in numbers.values()}
    if len(words) > 1 or len(numbers) < len(counts):
        # A word that is no known unit is one if it follows each number: 3 rooms, 4 rooms, but not 1st, 2nd.
        numbers = {text: parts for text, parts in numbers.items() if not parts.after or is_unit(parts.after)}
    filled, found = sum(counts.values()), sum(counts[text] for text in numbers)
    # Codes such as 00123 are not written like numbers.
    if 2 * found < filled or not numbers or all(re.fullmatch("0[0-9]+", text) for text in counts):
        return None
    for text in counts:
        if text not in numbers:
            advice = f": --missing {shlex.quote(text)} marks it as missing" if len(text) <= LONGEST else ""
            return Unclear(text, f"is not a number, as {found} of {filled} cells are{advice}")
    first, *_ = numbers.values()
    for text, parts in numbers.items():
        if (parts.before, parts.after) != (first.before, first.after):
            units = [" ".join(filter(None, (each.before, each.after))) or "none" for each in (parts, first)]
            return Unclear(text, f"has another unit ({units[0]}) than the first cell ({units[1]})")
    return _common(numbers, first, decimal)


def _common(numbers: Mapping[str, Parts], first: Parts, decimal: str | None) -> Notation | Unclear:
    """The notation that all numbers of a column have in common."""
    common = set(MARKS)
    for text, parts in numbers.items():
        if not common & parts.fitting:
            return Unclear(text, "is in another notation than the cells before it")
        common &= parts.fitting
    if decimal is not None and any(marks[0] == decimal for marks in common):
        common = {marks for marks in common if marks[0] == decimal}
    fitting = [marks for marks in MARKS if marks in common]
    for text, parts in numbers.items():
        values = {parts.value(*marks) for marks in fitting}
        if len(values) > 1:
            readings = " or ".join(f"{value:g}" if value % 1 else f"{value:.0f}" for value in sorted(values))
            return Unclear(text, f"can be {readings}: --decimal . or --decimal , decides")
    return Notation(*fitting[0], first.before, first.after)
