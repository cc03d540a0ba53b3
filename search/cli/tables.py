"""Tables in the terminal: no name and no number is ever broken, however little room there is.

What does not fit is first left out, where the table says that it may be, then prose is wrapped, and last each row is
set as lines of its own, title by title. In a pipe there is room for everything: a row is one line.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from cooldown.search.cli.screen import KEPT, UNLIMITED, kept
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.spec.arms import short

GAP = 2
"""Characters between two columns."""

HANGING = 2
"""Characters by which a line that goes on from another one is indented."""

NARROW, NARROWEST = 24, 16
"""Characters of a line of wrapped prose: columns that can be left out are, before it has fewer; and the fewest."""


@dataclass(frozen=True)
class Printed:
    """A table as the terminal shows it, laid out for the room that there is when it is printed. reading: where its
    caption stands, which speaks of the columns that are shown.
    """

    table: Table
    reading: Literal["above", "below", "nowhere"] = "nowhere"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = fitted(self.table, options.max_width)
        cells = _cells(table)
        if options.max_width >= UNLIMITED:
            cells = [[" · ".join(map(str.strip, text.split("\n"))) for text in row] for row in cells]
        widths = _widths(table.columns, cells, options.max_width)
        if self.reading == "above" and table.reading:
            yield Text(f"{table.reading}\n")
        yield from _stacked(table, cells, options.max_width) if widths is None else _laid_out(table, cells, widths)
        if self.reading == "below":
            yield Text(table.reading, style="dim")

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


def fitted(table: Table, room: int) -> Table:
    """The table without as many of its wide columns, from the last one on, as need more characters than there are."""
    natural = _natural(_cells(table))
    kept = list(range(len(table.columns)))
    for place in reversed(range(len(table.columns))):
        # Prose needs a part of its width only.
        needed = [min(natural[i], NARROW) if table.columns[i].prose else natural[i] for i in kept]
        if sum(needed) + GAP * (len(kept) - 1) > room and table.columns[place].wide:
            kept.remove(place)
    return table.with_columns(kept)


def _cells(table: Table) -> list[list[str]]:
    """All texts, the titles first."""

    def shown(column: Column, text: str) -> str:
        return short(text) if column.form is Form.ARM else text

    texts = [[shown(c, text) for c, text in zip(table.columns, row, strict=True)] for row in table.texts()]
    return [[short(column.title) for column in table.columns], *texts]


def _natural(cells: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column's longest line."""
    return [max(cell_len(line) for text in column for line in text.split("\n")) for column in zip(*cells, strict=True)]


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> list[int] | None:
    """The width of each column; None where there is not enough room for rows of columns."""
    widths = _natural(cells)
    over = sum(widths) + GAP * (len(widths) - 1) - room
    for place in reversed(range(len(widths))):
        if over > 0 and columns[place].prose:
            least = min(max(NARROWEST, _longest_word([row[place] for row in cells])), widths[place])
            narrower = max(widths[place] - over, least)
            over -= widths[place] - narrower
            widths[place] = narrower
    return widths if over <= 0 else None


def _longest_word(texts: Sequence[str]) -> int:
    """The room that the longest word takes, in a line that goes on from another one."""
    return HANGING + max((cell_len(word) for text in texts for word in kept(text).split()), default=0)


def _laid_out(table: Table, cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[Text]:
    """A line for each row, and more where prose is wrapped."""
    starts = list(accumulate((width + GAP for width in widths[:-1]), initial=0))
    for number, row in enumerate(cells):
        style = "bold" if number == 0 or number - 1 in table.strong else ""
        parts = [
            _wrapped(text, width) if column.prose else [text]
            for column, text, width in zip(table.columns, row, widths, strict=True)
        ]
        for line in range(max(map(len, parts))):
            text = ""
            for column, part, width, start in zip(table.columns, parts, widths, starts, strict=True):
                cell = part[line] if line < len(part) else ""
                flush_right = column.form.is_number and not column.prose
                before = start + (width - cell_len(cell) if flush_right else 0)
                text += " " * (before - cell_len(text)) + cell if cell else ""
            yield Text(text, style=style, no_wrap=True, overflow="ignore")


def _stacked(table: Table, cells: Sequence[Sequence[str]], room: int) -> Iterator[Text]:
    """A line for each cell, or more of prose, with its title before it, and an empty one between two rows."""
    start = max(map(cell_len, cells[0])) + GAP
    for number, row in enumerate(cells[1:]):
        if number:
            yield Text()
        style = "bold" if number in table.strong else ""
        for column, title, text in zip(table.columns, cells[0], row, strict=True):
            lines = _wrapped(text, max(room - start, NARROWEST)) if column.prose else [text]
            for before, line in zip((title, *[""] * len(lines)), lines, strict=False):
                whole = f"{before}{' ' * (start - cell_len(before))}{line}"
                yield Text(whole, style=style, no_wrap=True, overflow="ignore")


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken between words alone, in no number, and at the text's own line breaks,
    behind which an indentation is kept.
    """
    lines: list[str] = []
    for given in text.split("\n"):
        indent = " " * (len(given) - len(given.lstrip()))
        lines += _filled(kept(given).split(), width, indent)
    return [line.replace(KEPT, " ") for line in lines]


def _filled(words: Iterable[str], width: int, indent: str) -> list[str]:
    lines, line = [], ""
    for word in words:
        if line and cell_len(f"{line} {word}") > width:
            lines.append(line)
            line = f"{indent}{' ' * HANGING}{word}"
        else:
            line = f"{line} {word}" if line else f"{indent}{word}"
    return [*lines, line]
