"""How each arm is drawn, in every picture the same: a colour for its optimizer, a dash and a symbol for its schedule.

The entries of the catalog declare them; what declares none, as a user's own may, has ones that follow from its name
alone. Warm colours are the SGD family's, cool ones the adaptive methods'. They are those of Okabe & Ito and of Tol that
stand out on white as well as on black, chosen so that no two of the catalog's look alike with any of the usual kinds of
colour vision.
"""

from collections import Counter
from collections.abc import Iterable
from colorsys import hls_to_rgb
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from zlib import crc32

from cooldown.objectives import optimizers, schedules
from cooldown.objectives.optimizer import Family
from cooldown.search.spec.arms import Arm, short

JOINT = "#77808C"
"""The colour of an arm that may choose between several optimizers or schedules: a grey of its own."""

SYMBOLS = ("star", "star-diamond", "diamond-tall", "hexagon2", "octagon", "star-triangle-down", "diamond-wide")
"""Of schedules that declare none."""

HUES: dict[Family, tuple[float, float]] = {"sgd": (0.88, 1.13), "adaptive": (0.2, 0.8)}
"""Of optimizers that declare no colour: warm and cool ones, in turns of the colour circle."""

TWINS = ((1.0, ""), (0.65, "-open"), (0.45, "-dot"), (0.45, "-open-dot"))
"""Opacity and kind of symbol of the first, the second … of several arms that would look the same."""

HOVER_WIDTH = 60
"""Letters of a line of the words beside a pointer."""

GREYS = ("#8A8A8A", "#6C7A89", "#A08F7B")
"""Of lines that belong to no optimizer: they stand out on white as well as on black."""


@dataclass(frozen=True)
class Look:
    """How one arm is drawn; opacity: of its lines and markers, 0 to 1."""

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
    """The look of each of the arms of one picture. Those that would look the same, as `first=adam` and `second=adam`
    do, differ in opacity and symbol, in the order given. Raises InputError for what is no arm.
    """
    found, seen = {}, Counter[Look]()
    for arm in arms:
        own = _look(Arm.parse(arm))
        opacity, kind = TWINS[min(seen[own], len(TWINS) - 1)]
        seen[own] += 1
        found[arm] = Look(own.colour, own.dash, own.symbol + kind, opacity)
    return found


def line_of_arm(arm: str) -> dict[str, str]:
    """Colour and dash of the line of an arm, as `momentum+cosine`; of an optimizer alone at a constant rate."""
    return looks([arm])[arm].line


def marker_of_arm(arm: str) -> dict[str, str]:
    """Colour and symbol of the marker of an arm."""
    return looks([arm])[arm].marker


def colour_of_arm(arm: str) -> str:
    """The colour of an arm, `#rrggbb`."""
    return looks([arm])[arm].colour


def faded(colour: str, opacity: float) -> str:
    """The colour `#rrggbb` with an opacity of 0 to 1, for an area that other things show through."""
    red, green, blue = _parts(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def line_of_schedule(schedule: str) -> dict[str, str]:
    """The line of a schedule without an optimizer: its dash, in a grey."""
    return {"color": GREYS[_number(schedule) % len(GREYS)], "dash": _line_and_symbol(schedule)[0]}


def label(arm: str) -> str:
    """The arm's name, shortened by `short`, as a figure may hold it: plotly takes what looks like a tag for one."""
    return escape(short(arm))


def whole(arm: str) -> str:
    """The arm's whole name for the words beside a pointer, over several lines where it is long."""
    lines = wrap(arm.replace(",", ", ").replace("+", " + ") if len(arm) > HOVER_WIDTH else arm, HOVER_WIDTH)
    return "<br>".join(map(escape, lines))


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
    # Dashes as long as none that is declared.
    dash = entry.dash or f"{26 + number % 30}px,{2 + number // 30 % 9}px"
    return dash, entry.symbol or SYMBOLS[number % len(SYMBOLS)]


def _number(name: str) -> int:
    """A number that follows from a name alone."""
    return crc32(name.encode())


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
