"""Sliders that choose trials by ranges of their hyperparameters and loss, each on the scale of its axis.

They do by keyboard, and for several axes at once, what dragging over a chart does: the ranges are the same ones in the
address (`brushing.ranges`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

import streamlit as st

from cooldown.dashboard import brushing
from cooldown.dashboard.brushing import Ranges
from cooldown.dashboard.parts import plain
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.selection import LOSS
from cooldown.search.figures.scales import natural_text
from cooldown.search.spec.space import Parameter

STEPS = 20
"""Of a slider, from its end to its other end."""

WIDTH = 300
"""Of a slider in pixels: a phone shows one in a row."""

Text = Callable[[float], str]


@dataclass(frozen=True)
class Slider:
    """What a slider is about. name: of the range, as a `Selection` has it. values: rising, no two of one text."""

    name: str
    label: str
    values: Sequence[float]
    text: Text

    @classmethod
    def over(cls, name: str, label: str, ends: tuple[float, float], inner: Iterable[float], text: Text) -> "Slider":
        """The slider from one end to the other, over those of the values between them that look different."""
        # With the digits that an address keeps, so that a chosen value is found again.
        by_text = {text(value): float(f"{value:.{brushing.DIGITS}g}") for value in (*inner, *ends)}
        return cls(name, label, sorted(by_text.values()), text)


def of_parameter(parameter: Parameter) -> Slider:
    """The slider of a hyperparameter, over the range that is searched, in even steps on the scale of the search."""
    inner = [parameter.at(step / STEPS) for step in range(1, STEPS)]
    if parameter.hyperparameter.integer:
        inner = [float(round(value)) for value in inner]
    ends = float(parameter.low), float(parameter.high)
    return Slider.over(parameter.key, parameter.key, ends, inner, lambda value: natural_text(parameter, value))


def of_losses(losses: Sequence[float]) -> Slider:
    """The slider of a loss: in steps of equal ratios where all are above 0, its ends rounded outward."""
    known = [loss for loss in losses if isfinite(loss)]
    low, high = _outward(min(known), floor), _outward(max(known), ceil)
    shares = [step / STEPS for step in range(1, STEPS)]
    inner = [low * (high / low) ** share if low > 0 else low + (high - low) * share for share in shares]
    return Slider.over(LOSS, "Validation loss", (low, high), inner, lambda value: formatted(value, Form.READING))


def range_sliders(sliders: Sequence[Slider], between: Ranges) -> None:
    """Show the sliders of those that can be moved. between: the ranges so far."""
    # Whoever comes with ranges sees them; it stays open or closed when they change.
    first = st.session_state.setdefault("ranges at first", bool(between))
    with st.expander("Ranges of values", key="ranges opened", on_change="rerun", expanded=first) as opened:
        if opened.open:
            with st.container(horizontal=True):
                for slider in sliders:
                    if len(slider.values) > 1:
                        _slider(slider, between)


def _slider(slider: Slider, between: Ranges) -> None:
    values = slider.values
    low, high = between.get(slider.name, (values[0], values[-1]))
    # Ends between two values, as a marked area has them, are shown by the values around them.
    below, above = [value for value in values if value <= low], [value for value in values if value >= high]
    shown = max(below, default=values[0]), min(above, default=values[-1])
    key = f"range of {slider.name}"
    if st.session_state.get(key, shown) != shown:
        # The address has changed, as by Back.
        st.session_state[key] = shown

    def choose() -> None:
        first, last = st.session_state[key]
        # An end that was not moved stays exactly where it was.
        ends = low if first == shown[0] else first, high if last == shown[1] else last
        chosen = {name: both for name, both in between.items() if name != slider.name}
        brushing.keep(chosen if (first, last) == (values[0], values[-1]) else {**chosen, slider.name: ends})

    label = plain(slider.label)
    st.select_slider(label, values, shown, key=key, on_change=choose, format_func=slider.text, width=WIDTH)


def _outward(value: float, rounded: Callable[[float], int]) -> float:
    """A value with three significant digits, rounded by `floor` or `ceil`."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(abs(value))) - 2)
    return float(f"{rounded(value / unit) * unit:.6g}")
