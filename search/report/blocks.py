"""What a report is made of: sections of blocks, each a frozen piece of data that the template knows how to set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cooldown.search.evidence.table import Table as Evidence

if TYPE_CHECKING:
    import plotly.graph_objects as go

Tone = Literal["plain", "note", "missing"]

MOST_ROWS = 40
"""Of a table of a chart's numbers: who wants them all has `cooldown trials` and `cooldown show --json`."""


@dataclass(frozen=True)
class Text:
    """A paragraph. tone: "note" for what stands back, "missing" for what there is no evidence of yet."""

    kind: ClassVar[str] = "text"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Code:
    """Lines to be typed, or to be copied. label: what they are, for who cannot see them."""

    kind: ClassVar[str] = "code"
    text: str
    label: str = "Command"


@dataclass(frozen=True)
class Steps:
    """Paragraphs in an order, each with the few words that it is about."""

    kind: ClassVar[str] = "steps"
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Doubt:
    """A reason to distrust the answer. command: what to type against it, "" for nothing."""

    kind: ClassVar[str] = "doubt"
    about: str
    text: str
    command: str = ""


@dataclass(frozen=True)
class Table:
    """Cells as they are shown, a row for each thing, whose name is its first cell.

    words: the columns, by place, that hold no numbers; the first never does. caption: what is in it. note: what is left
    out. strong: the rows, by place, that matter most.
    """

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    words: frozenset[int] = frozenset({0})
    note: str = ""
    strong: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure with its title, a sentence on how to read it, and its numbers.

    later: drawn when it is asked for. small: one of several of a kind, side by side.
    """

    kind: ClassVar[str] = "chart"
    title: str
    reading: str
    figure: "go.Figure"
    numbers: Table
    later: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """Charts of a kind, side by side where there is room. reading: of all of them."""

    kind: ClassVar[str] = "row"
    reading: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Config:
    """A training config to read, and to copy."""

    kind: ClassVar[str] = "config"
    title: str
    about: str
    table: Table
    json: str


@dataclass(frozen=True)
class Configs:
    """Several of them, side by side where there is room."""

    kind: ClassVar[str] = "configs"
    configs: tuple[Config, ...]


@dataclass(frozen=True)
class Part:
    """A part of a section, with a title of its own."""

    kind: ClassVar[str] = "part"
    title: str
    anchor: str
    blocks: tuple[Any, ...]


@dataclass(frozen=True)
class Section:
    """What stands under one title; without blocks it is left out."""

    title: str
    anchor: str
    blocks: Sequence[Any] = field(default_factory=tuple)

    @property
    def parts(self) -> list[Part]:
        """Those of its blocks that have a title of their own."""
        return [block for block in self.blocks if isinstance(block, Part)]


def rendered(table: Evidence, caption: str | None = None, *, most: int | None = None, more: str = "") -> Table:
    """A table of evidence as it is shown. caption: in place of its own. most: rows that are shown, the first ones.
    more: how all rows are had, where these are a choice of them.
    """
    shown = table if most is None else table.head(most)
    total = len(table) if table.total is None else table.total
    left_out = f"{len(shown)} of {total:,} rows. {more}".strip() if total > len(shown) else ""
    words = {place for place, column in enumerate(table.columns) if not column.form.is_number}
    return Table(
        tuple(column.heading for column in table.columns),
        tuple(shown.texts()),
        table.reading if caption is None else caption,
        frozenset(words | {0}),
        " ".join(filter(None, (table.note, left_out))),
        table.strong,
    )


def numbers(table: Evidence, *, more: str = "") -> Table:
    """The numbers of a chart, as far as they go into a table; the chart has the caption."""
    return rendered(table, "", most=MOST_ROWS, more=more)


def words(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Table:
    """A table of texts."""
    return Table(tuple(titles), tuple(map(tuple, rows)), caption, frozenset(range(len(titles))))
