"""The look of each arm, the same in every figure: a colour for its optimizer, a dash and a symbol for its schedule.

The entries of the catalog declare them; an entry that declares none, as a user's own may, gets a look derived from its
name. The SGD family has warm colours, adaptive methods have cool ones. They are colours of Okabe & Ito and of Tol that
are visible on white and on black, chosen so that those of the catalog can be told apart with any of the usual kinds of
colour vision.
"""

import re
from collections import Counter
from collections.abc import Iterable
from colorsys import hls_to_rgb
from dataclasses import dataclass
from textwrap import wrap
from zlib import crc32

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.optimizer import Family
from cooldown.objectives.plain_text import visible_in_html
from cooldown.search.spec.arms import Arm, short, spaced

JOINT = "#77808C"
"""The colour of a joint arm, one with several optimizers or schedules: a grey that nothing else has."""

SYMBOLS = ("star", "star-diamond", "diamond-tall", "hexagon2", "octagon", "star-triangle-down", "diamond-wide")
"""Of schedules that declare none."""

HUES: dict[Family, tuple[float, float]] = {"sgd": (0.88, 1.13), "adaptive": (0.2, 0.8)}
"""The hues of optimizers that declare no colour, warm and cool ones, in turns of the colour circle."""

TWINS = ((1.0, ""), (0.65, "-open"), (0.45, "-dot"), (0.45, "-open-dot"))
"""Opacity and symbol suffix of the first, second, … of several arms that would look the same."""

HOVER_WIDTH = 60
"""Characters per line of hover text."""

GREYS = ("#8A8A8A", "#6C7A89", "#A08F7B")
"""Of lines that belong to no optimizer: visible on white and on black."""


@dataclass(frozen=True)
class Look:
    """The look of one arm. opacity: of its lines and markers, 0 to 1."""

    colour: str
    dash: str
    symbol: str
    opacity: float = 1.0

    @property
    def line(self) -> dict[str, str]:
        """Colour and dash, for a trace's `line`."""
        return {"color": self.colour, "dash": self.dash}

    @property
    def marker(self) -> dict[str, str]:
        """Colour and symbol, for a trace's `marker`."""
        return {"color": self.colour, "symbol": self.symbol}


def looks(arms: Iterable[str]) -> dict[str, Look]:
    """The look of each arm of one figure. Arms that would look the same, such as `first=adam` and `second=adam`, differ
    in opacity and symbol, in this order. Raises InputError for an invalid arm.
    """
    by_arm, seen = {}, Counter[Look]()
    for arm in arms:
        look = _look(Arm.parse(arm))
        opacity, kind = TWINS[min(seen[look], len(TWINS) - 1)]
        seen[look] += 1
        by_arm[arm] = Look(look.colour, look.dash, look.symbol + kind, opacity)
    return by_arm


def line_of_arm(arm: str) -> dict[str, str]:
    """Colour and dash of the line of an arm such as `momentum+cosine`, or of an optimizer at a constant rate."""
    return looks([arm])[arm].line


def marker_of_arm(arm: str) -> dict[str, str]:
    """Colour and symbol of the marker of an arm."""
    return looks([arm])[arm].marker


def colour_of_arm(arm: str) -> str:
    """The colour of an arm, `#rrggbb`."""
    return looks([arm])[arm].colour


def faded(colour: str, opacity: float) -> str:
    """The colour `#rrggbb` with an opacity of 0 to 1, for a transparent area."""
    red, green, blue = _parts(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def line_of_schedule(schedule: str) -> dict[str, str]:
    """The line of a schedule without an optimizer: its dash, in a grey."""
    return {"color": GREYS[_number(schedule) % len(GREYS)], "dash": _line_and_symbol(schedule)[0]}


def label(arm: str) -> str:
    """The arm's name, shortened by `short` and escaped, because plotly interprets HTML tags."""
    return visible_in_html(short(arm))


def folded(name: str, width: int = 18) -> str:
    """A label in lines of about `width` characters, broken where an arm's name has joints, so that it fits a phone."""
    lines = [""]
    for part in re.split(r"(?<=[+,@ ])|(?=\[)", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "<br>".join(line.strip() for line in lines)


def whole(arm: str) -> str:
    """The arm's full name for hover text, over several lines where it is long."""
    lines = wrap(spaced(arm) if len(arm) > HOVER_WIDTH else arm, HOVER_WIDTH)
    return "<br>".join(map(visible_in_html, lines))


def _look(arm: Arm) -> Look:
    one = len(arm.optimizers) == len(arm.schedules) == 1
    dash, symbol = _line_and_symbol(arm.schedules[0]) if len(arm.schedules) == 1 else ("solid", "star-triangle-up")
    return Look(_colour(arm.optimizers[0]) if one else JOINT, dash, symbol)


def _colour(optimizer: str) -> str:
    entry = optimizers.get(optimizer)
    if entry.colour:
        return entry.colour
    low, high = HUES[entry.family]
    share = _number(optimizer) % 1000 / 1000
    parts = hls_to_rgb((low + share * (high - low)) % 1.0, 0.5, 0.45)
    return "#" + "".join(f"{round(255 * part):02X}" for part in parts)


def _line_and_symbol(schedule: str) -> tuple[str, str]:
    entry, number = schedules.get(schedule), _number(schedule)
    # Longer dashes than any that is declared.
    dash = entry.dash or f"{26 + number % 30}px,{2 + number // 30 % 9}px"
    return dash, entry.symbol or SYMBOLS[number % len(SYMBOLS)]


def _number(name: str) -> int:
    """A number derived from a name alone."""
    return crc32(name.encode())


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
