"""The layout of a delimited text: its separator, and a first line that only names it."""

import csv
import re
from dataclasses import dataclass
from io import StringIO
from itertools import islice

SEPARATORS = ";\t|,"
"""The comma is last: it is in numbers and texts too."""

SAMPLE = 20
"""Lines by which the separator is chosen."""

NAMED = re.compile(r"\s*[\"']?sep=(.)[\"']?[,;\t| ]*(\r\n|\r|\n)", re.IGNORECASE)
"""The first line with which Excel is told the separator."""


@dataclass(frozen=True)
class Layout:
    """How the cells of a delimited text are separated. skipped: lines before the header."""

    separator: str
    skipped: int = 0


def layout_of(text: str) -> Layout:
    """The layout of a text: the separator that its first line names, or else the one of comma, semicolon, tab and pipe
    that cuts the header into most cells, and all lines into as many. Separators in quotes do not count.
    """
    if named := NAMED.match(text):
        return Layout(named[1], 1)
    return Layout(max(SEPARATORS, key=lambda separator: _fit(text, separator)))


def _fit(text: str, separator: str) -> tuple[bool, int]:
    """Whether the separator cuts the first lines into equally many cells, of which there are several, and how many
    there are in the header.
    """
    reader = csv.reader(StringIO(text.lstrip(), newline=""), delimiter=separator, skipinitialspace=True)
    try:
        rows = [row for row in islice(reader, SAMPLE) if row]
    except csv.Error:
        return False, 0
    width = len(rows[0]) if rows else 0
    # Some programs write a separator at the end of each line, or of each but the header.
    even = all(len(row) == width or (len(row) == width + 1 and not row[-1]) for row in rows)
    return even and width > 1, width
