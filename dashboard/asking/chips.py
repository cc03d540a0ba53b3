"""Arms as chips: each with its name in words, its optimizer's colour and a small drawing of its schedule."""

from base64 import b64encode

import numpy as np

from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import visible_in_html
from cooldown.objectives.trust import nothing_trusted
from cooldown.search.figures.lines import looks
from cooldown.search.figures.schedules import shape
from cooldown.search.spec.arms import Arm, short, spaced

WIDTH, HEIGHT, POINTS = 72, 26, 73
"""Of a drawing, in pixels, and how many points its line has."""

DASHES = {"dash": "5 3", "dot": "1.5 3", "dashdot": "6 3 1.5 3", "longdash": "9 3", "longdashdot": "9 3 1.5 3"}
"""Plotly's names of dashes in SVG."""

STYLE = (
    "<style>.arm-chips{display:flex;flex-wrap:wrap;gap:.5rem}"
    ".arm-chips span{display:flex;align-items:center;gap:.5rem;border:1px solid #8886;border-radius:.5rem;"
    "padding:.2rem .6rem;font-size:.875rem}</style>"
)


def chips(arms: list[str]) -> str:
    """These arms as HTML; one that cannot be read is left out: it is said elsewhere what is wrong."""
    readable = [arm for arm in arms if _is_arm(arm)]
    drawn = "".join(
        f'<span title="{visible_in_html(spaced(arm))}">{_drawing(Arm.parse(arm), look.colour, look.dash)}'
        f"{visible_in_html(short(arm))}</span>"
        for arm, look in looks(readable).items()
    )
    return f'{STYLE}<div class="arm-chips">{drawn}</div>'


def _is_arm(text: str) -> bool:
    try:
        # What a reader types names no module, whatever the dashboard was told to trust.
        with nothing_trusted():
            Arm.parse(text)
    except InputError:
        return False
    return True


def _drawing(arm: Arm, colour: str, dash: str) -> str:
    """The learning rate over a run, from 0 to its highest; of a joint arm, that of each of its schedules in grey."""
    lines = "".join(_line(name, colour, dash) for name in arm.schedules)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{lines}</svg>'
    # A drawing that is part of the page itself is taken out by the browser, as something that may have a script.
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
    return f'<img src="{source}" width="{WIDTH}" height="{HEIGHT}" alt="">'


def _line(name: str, colour: str, dash: str) -> str:
    rates = shape(name)
    places = np.linspace(0, len(rates) - 1, POINTS).astype(int)
    points = " ".join(
        f"{2 + (WIDTH - 4) * place / (len(rates) - 1):.1f},{2 + (HEIGHT - 4) * (1 - rates[place]):.1f}"
        for place in places
    )
    dashes = f' stroke-dasharray="{DASHES[dash]}"' if dash in DASHES else ""
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
