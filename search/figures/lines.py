"""How each optimizer is drawn, in every picture the same: warm colours for the SGD family, cool ones for the adaptive.

The colours are those of Okabe & Ito and of Tol, which people with any colour vision tell apart; dashes and the markers'
shapes help where there are more optimizers than colours.
"""

from typing import Literal

from objectives import optimizers

Family = Literal["sgd", "adaptive"]

COLOURS: dict[Family, tuple[str, ...]] = {
    "sgd": ("#D55E00", "#E69F00", "#882255", "#CC79A7"),
    "adaptive": ("#0072B2", "#56B4E9", "#009E73", "#332288"),
}
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up")


def line_of(optimizer: str) -> dict[str, str]:
    """Colour and dash of the line of `optimizer`."""
    colour, turn = _look(optimizer)
    return {"color": colour, "dash": DASHES[turn % len(DASHES)]}


def head_of(optimizer: str) -> dict[str, str]:
    """Colour and shape of the marker of `optimizer`."""
    colour, turn = _look(optimizer)
    return {"color": colour, "symbol": SYMBOLS[turn % len(SYMBOLS)]}


def _look(optimizer: str) -> tuple[str, int]:
    """The colour, and how often it was given before: by the place in the catalog, not by what else is drawn."""
    family = optimizers.get(optimizer).family
    place = [name for name in optimizers.names() if optimizers.get(name).family == family].index(optimizer)
    colours = COLOURS[family]
    return colours[place % len(colours)], place // len(colours)
