"""The two consoles that all commands print to: whatever text they are given, only our own escape sequences come out."""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from cooldown.interrupts import write
from cooldown.objectives.plain_text import visible

UNBROKEN = re.compile(r"\d %|\[[-−+\d., %∞]+\]")
"""A percentage and an interval, whose spaces are no place to begin a new line."""

KEPT = "\ue000"
"""Stands for such a space while Rich, which breaks lines at any other, wraps a text."""

UNLIMITED = 1_000_000
"""Characters of a line in a pipe."""


def kept(text: str) -> str:
    """The text with `KEPT` for each space at which no line may end."""
    return UNBROKEN.sub(lambda number: number[0].replace(" ", KEPT), text)


class Screen(Console):
    """A console that shows control characters and invisible ones of any text as escapes."""

    def __init__(self, *, stderr: bool = False) -> None:
        # Output contains users' texts, in which square brackets are not markup.
        super().__init__(markup=False, emoji=False, highlight=False, stderr=stderr)

    @property
    def options(self) -> ConsoleOptions:
        """As Rich has them; in a pipe or a file, which have no width, there is room for every line."""
        options = super().options
        return options if self.is_terminal else options.update(max_width=UNLIMITED)

    def print(self, *objects: Any, crop: bool = False, **options: Any) -> None:
        """As Rich does, but nothing is cut off: what a terminal has no room for goes on in its next line."""
        super().print(*objects, crop=crop, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """As Rich does, with the room that the escapes take."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does; `control` segments are Rich's own."""
        if isinstance(renderable, Text):
            renderable = renderable.copy()
            renderable.plain = kept(renderable.plain)
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text.replace(KEPT, " ")))


OUT, ERR = Screen(), Screen(stderr=True)


def say_at_once(text: str) -> None:
    """Print a line to stderr, once, also if Ctrl-C comes in the middle of it; outside of any live display."""
    write(f"{visible(text)}\n")
