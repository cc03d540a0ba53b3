"""The parts of a report: sections of blocks, each a frozen value that the template renders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Table as Evidence
from cooldown.search.spec.arms import spoken

if TYPE_CHECKING:
    import plotly.graph_objects as go

Tone = Literal["plain", "note", "missing"]

MOST_ROWS = 40
"""The most rows of a chart's numbers: `cooldown trials` and `cooldown show --json` print all of them."""


@dataclass(frozen=True)
class Text:
    """A paragraph. tone: "note" for less prominent text, "missing" where there is no evidence yet."""

    kind: ClassVar[str] = "text"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Code:
    """Lines to type or to copy. label: what they are, for screen readers."""

    kind: ClassVar[str] = "code"
    text: str
    label: str = "Command"


@dataclass(frozen=True)
class Steps:
    """Numbered paragraphs, each with a heading of a few words."""

    kind: ClassVar[str] = "steps"
    steps: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Doubt:
    """A reason to distrust the answer. command: what to run about it, "" for nothing."""

    kind: ClassVar[str] = "doubt"
    about: str
    text: str
    command: str = ""


@dataclass(frozen=True)
class Table:
    """Cells as they are shown; the first cell of a row is its name.

    words: the columns, by place, without numbers, always with the first. caption: what the table shows. note: what is
    left out. strong: the rows, by place, that matter most.
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
    """A figure with its title, a sentence on how to read it, and its numbers, unless a table beside it has them.

    later: drawn when it is opened.
    """

    kind: ClassVar[str] = "chart"
    title: str
    reading: str
    figure: "go.Figure"
    numbers: Table | None = None
    later: bool = False


@dataclass(frozen=True, eq=False)
class Row:
    """Similar charts, side by side where there is room. reading: how to read all of them."""

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
    """Several configs, side by side where there is room."""

    kind: ClassVar[str] = "configs"
    configs: tuple[Config, ...]


@dataclass(frozen=True)
class Part:
    """A part of a section, with its own title."""

    kind: ClassVar[str] = "part"
    title: str
    anchor: str
    blocks: tuple[Any, ...]


@dataclass(frozen=True)
class Section:
    """The blocks under one title; a section without blocks is left out. folded: whether it is closed at first."""

    title: str
    anchor: str
    blocks: Sequence[Any] = field(default_factory=tuple)
    folded: bool = True

    @property
    def parts(self) -> list[Part]:
        """The blocks that are parts."""
        return [block for block in self.blocks if isinstance(block, Part)]


def rendered(table: Evidence, caption: str | None = None, *, most: int | None = None, more: str = "") -> Table:
    """A table of evidence as it is shown. caption: in place of its own. most: the number of first rows that are shown.
    more: how to get all rows, where some are left out.
    """
    shown = table if most is None else table.head(most)
    total = len(table) if table.total is None else table.total
    left_out = f"{len(shown)} of {total:,} rows. {more}".strip() if total > len(shown) else ""
    words = {place for place, column in enumerate(table.columns) if not column.form.is_number}
    return Table(
        tuple(spoken(column.heading) for column in table.columns),
        tuple(
            tuple(
                spoken(text) if column.form is Form.ARM else text
                for column, text in zip(shown.columns, row, strict=True)
            )
            for row in shown.texts()
        ),
        table.reading if caption is None else caption,
        frozenset(words | {0}),
        " ".join(filter(None, (table.note, left_out))),
        table.strong,
    )


def numbers(table: Evidence, *, more: str = "") -> Table:
    """The first rows of a chart's numbers, without a caption, which the chart has."""
    return rendered(table, "", most=MOST_ROWS, more=more)


def words(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> Table:
    """A table of texts."""
    return Table(tuple(titles), tuple(map(tuple, rows)), caption, frozenset(range(len(titles))))
