"""A table of evidence as a value: columns that say what their numbers are, rows of plain values, and a caption.

Terminal, report and dashboard set the same value, each in its own way; none of them knows what a table is about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from cooldown.objectives.plain_text import visible
from cooldown.search.evidence.numbers import Form, formatted, interval

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Column:
    """A column of a table.

    form: what kind of value its cells hold. unit: of its numbers, "" where the title says it. ends: whether a cell
    holds the two ends of an interval, `(low, high)`, or None. wide: shown only where there is room for it. prose:
    whether its texts are words of ours, which may be broken into lines, as names and numbers may not. about: what the
    caption says of the column, where it is shown.
    """

    title: str
    form: Form = Form.TEXT
    unit: str = ""
    ends: bool = False
    wide: bool = False
    prose: bool = False
    about: str = ""

    @property
    def heading(self) -> str:
        """The title with the unit, where there is room for it."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, value: Any) -> str:
        """A cell's value as a reader sees it."""
        if self.ends:
            low, high = value or (None, None)
            return interval(low, high, self.form)
        return formatted(value, self.form)


@dataclass(frozen=True)
class Table:
    """Rows of values under columns.

    rows: cells in the columns' order, None for what is not known. caption: what is in the table and how it is read.
    strong: the rows, by place, that matter most. note: what else has to be known of single rows. total: how many rows
    there are, where these are a choice of them.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    caption: str = ""
    strong: frozenset[int] = field(default=frozenset())
    note: str = ""
    total: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def reading(self) -> str:
        """The caption, with what it says of the columns that are shown."""
        return " ".join(filter(None, (self.caption, *(column.about for column in self.columns))))

    @property
    def titles(self) -> list[str]:
        """The columns' titles."""
        return [column.title for column in self.columns]

    def values(self, title: str) -> list[Any]:
        """The cells of one column."""
        place = self.titles.index(title)
        return [row[place] for row in self.rows]

    def take(self, places: Sequence[int]) -> "Table":
        """The rows at these places, as a choice of all."""
        total = len(self) if self.total is None else self.total
        return replace(self, rows=[self.rows[place] for place in places], total=total)

    def head(self, count: int) -> "Table":
        """The first `count` rows."""
        return self.take(range(min(count, len(self))))

    def sorted(self, key: Callable[[Sequence[Any]], Any]) -> "Table":
        """The same rows in the order of `key`."""
        return replace(self, rows=sorted(self.rows, key=key))

    def without_empty_columns(self) -> "Table":
        """Without the columns in which no row has a value."""
        kept = [i for i in range(len(self.columns)) if any(_is_known(row[i]) for row in self.rows) or not self.rows]
        return self.with_columns(kept)

    def with_columns(self, places: Sequence[int]) -> "Table":
        """The columns at these places alone."""
        return replace(
            self,
            columns=tuple(self.columns[i] for i in places),
            rows=[tuple(row[i] for i in places) for row in self.rows],
        )

    def texts(self) -> list[tuple[str, ...]]:
        """All cells as a reader sees them."""
        return [tuple(column.text(value) for column, value in zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> "pandas.DataFrame":
        """The values as a DataFrame; an interval as two columns, its low and its high end."""
        from pandas import DataFrame

        data: dict[str, list[Any]] = {}
        for place, column in enumerate(self.columns):
            cells = [visible(cell) if isinstance(cell := row[place], str) else cell for row in self.rows]
            if column.ends:
                for title, end in zip(ends_of(column), (0, 1), strict=True):
                    data[title] = [None if cell is None else cell[end] for cell in cells]
            else:
                data[column.title] = cells
        return DataFrame(data)


ARM = Column("Arm", Form.ARM)


def ends_of(column: Column) -> tuple[str, str]:
    """The titles of an interval's two ends where each has a column of its own."""
    return f"{column.title} from", f"{column.title} to"


def _is_known(value: Any) -> bool:
    return value is not None and value == value
