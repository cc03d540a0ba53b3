"""The axes of hyperparameters and losses: each on the scale it is searched on, with ticks in natural values."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.hyperparameters import Scale, Unit
from cooldown.search.figures.layout import axis, wide
from cooldown.search.figures.lines import label
from cooldown.search.spec.space import Parameter

MARGIN = 0.04
"""The margin beside both ends of a range, as a share of it."""

MISSING = -0.12
"""Where the line of a trial without a parameter crosses its axis, whose range is 0 to 1."""

SHORT = 2.5
"""The longest axis, in decades, with room for three ticks per decade."""


def logarithmic(parameter: Parameter) -> bool:
    """Whether the parameter's axis is logarithmic."""
    return parameter.hyperparameter.scale is not Scale.LINEAR


def on_axis(parameter: Parameter, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The axis values of natural values (n,): 1 − value for a parameter that is searched so, else the value itself."""
    return 1 - values if parameter.flipped else values


def parameter_axis(parameter: Parameter) -> dict[str, Any]:
    """The axis of the values of `on_axis`, rising with the natural value; slightly longer than its range."""
    ends = on_axis(parameter, np.array([parameter.low, parameter.high]))
    places = np.log10(ends) if logarithmic(parameter) else ends
    margin = MARGIN * float(places[1] - places[0]) or 0.1
    ticks: dict[str, Any] = {}
    if logarithmic(parameter):
        drawn = log_ticks(*sorted(places.tolist()))
        natural = [1 - at if parameter.flipped else at for at in drawn]
        ticks = {"tickvals": drawn, "ticktext": [f"{value:.10g}" for value in natural]}
    range_ = [float(places[0]) - margin, float(places[1]) + margin]
    return axis(title_of(parameter), log=logarithmic(parameter), range=range_, zeroline=False, **ticks)


def position_axis(parameter: Parameter) -> dict[str, Any]:
    """An axis of positions on the scale of the search, 0 to 1, with ticks in natural values."""
    ticks, natural = _position_ticks(parameter)
    ends = [-MARGIN, 1 + MARGIN]
    return axis(title_of(parameter), range=ends, zeroline=False, tickvals=ticks, ticktext=natural)


def title_of(parameter: Parameter) -> str:
    """The hyperparameter's name with its unit."""
    unit = parameter.hyperparameter.unit
    return f"{label(parameter.key)} ({unit.value})" if unit is not Unit.NONE else label(parameter.key)


def _position_ticks(parameter: Parameter) -> tuple[list[float], list[str]]:
    # A range of one value has a single position, in the middle.
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0] if parameter.low < parameter.high else [0.5]
    return ticks, [natural_text(parameter, parameter.at(tick)) for tick in ticks]


Ends = tuple[float, float]
"""Lowest and highest value that is marked on an axis."""


def parameter_dimension(
    parameter: Parameter, values: NDArray[np.float64], marked: Ends | None = None
) -> dict[str, Any]:
    """The axis of parallel coordinates for natural values (n,), NaN for a trial without the parameter."""
    missing = np.isnan(values)
    places = [MISSING if math.isnan(value) else parameter.position(value) for value in values.tolist()]
    ticks, natural = _position_ticks(parameter)
    return {
        "label": label(parameter.key),
        "values": places,
        "range": [MISSING if missing.any() else 0, 1],
        "tickvals": [MISSING, *ticks] if missing.any() else ticks,
        "ticktext": ["–", *natural] if missing.any() else natural,
        **_mark(marked, parameter.position),
    }


def loss_dimension(losses: NDArray[np.float64], marked: Ends | None = None) -> dict[str, Any]:
    """The axis of parallel coordinates for losses (n,), logarithmic where they are spread widely."""
    places = np.log10(losses) if wide(losses) else losses
    ticks = np.linspace(places.min(), places.max(), 5)
    natural = 10**ticks if wide(losses) else ticks
    return {
        "label": "Validation loss",
        "values": places.tolist(),
        "tickvals": ticks.tolist(),
        "ticktext": [f"{value:.3g}" for value in natural],
        **_mark(marked, lambda loss: math.log10(max(loss, losses.min())) if wide(losses) else loss),
    }


def _mark(marked: Ends | None, place: Callable[[float], float]) -> dict[str, Any]:
    """What marks a range of an axis, if one is marked. place: of a value on the axis."""
    return {} if marked is None else {"constraintrange": sorted(map(place, marked))}


def natural_text(parameter: Parameter, value: float) -> str:
    """A natural value with enough digits to tell it from its neighbours on the parameter's axis."""
    if parameter.hyperparameter.integer:
        return f"{value:.0f}"
    return f"{1 - float(f'{1 - value:.2g}'):.10g}" if parameter.flipped else f"{value:.3g}"


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten from 10**low to 10**high; on a short range also 2 and 5 times each."""
    factors = (1, 2, 5) if high - low < SHORT else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [float(f"{factor}e{power}") for power in powers for factor in factors]
    # Allow for rounding errors at the range's ends.
    return [tick for tick in ticks if low - 1e-9 <= math.log10(tick) <= high + 1e-9]
