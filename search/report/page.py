"""The page: the template renders the blocks as HTML, with the style sheet, the script and plotly.js inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from cooldown.objectives.plain_text import visible
from cooldown.search.evidence.numbers import unparted
from cooldown.search.report.blocks import Section
from cooldown.search.report.embedding import Figures
from cooldown.storage import Status


@dataclass(frozen=True)
class Head:
    """The top of the page, above all sections. state: the progress of an unfinished experiment, as blocks."""

    answer: str
    about: tuple[str, ...]
    state: tuple[Any, ...]
    blocks: tuple[Any, ...]


def page(name: str, status: Status, head: Head, sections: Sequence[Section]) -> str:
    """The HTML document. name: its title. status: of what it is about."""
    figures, shown = Figures(), [section for section in sections if section.blocks]
    text: str = _template().render(name=name, status=status.value, head=head, sections=shown, figures=figures)
    return text.strip() + "\n"


@lru_cache(maxsize=1)
def _template() -> Any:
    """The template, with the parts that are the same in all reports."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    def packaged(name: str) -> str:
        return (files(__package__) / name).read_text(encoding="utf-8")

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.globals = {
        "style": Markup(packaged("report.css")),
        "script": Markup(packaged("report.js")),
        "plotly": Markup(get_plotlyjs()),
        "markup": Markup,
    }
    return environment.from_string(packaged("report.html.jinja"))


def _shown(text: str) -> str:
    """A text with what is invisible in it as escapes, and no line break between a number and its percent sign."""
    return unparted(visible(text))
