"""The two consoles that all commands print to: whatever text they are given, only our own escape sequences come out."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from cooldown.interrupts import write
from cooldown.objectives.plain_text import visible


class Screen(Console):
    """A console that shows control characters and invisible ones of any text as escapes."""

    def __init__(self, *, stderr: bool = False) -> None:
        # Output contains users' texts, in which square brackets are not markup.
        super().__init__(markup=False, emoji=False, highlight=False, stderr=stderr)

    def render_str(self, text: str, **options: Any) -> Text:
        """As Rich does, with the room that the escapes take."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does; `control` segments are Rich's own."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


OUT, ERR = Screen(), Screen(stderr=True)


def say_at_once(text: str) -> None:
    """Print a line to stderr, once, also if Ctrl-C comes in the middle of it; outside of any live display."""
    write(f"{visible(text)}\n")
