"""What a reader has chosen on a page: kept in the page's address, and nowhere else.

Each function shows a widget for one parameter of the address. The widget is set from the address before it is drawn,
and what a reader chooses is written back as a new entry of the browser's history: reload, Back, another tab and a link
that was sent all show the same. A parameter is left out of the address while it has its default.

Streamlit can bind a widget to a parameter by itself. That writes labels rather than values, keeps no history, and takes
a parameter out of a link to a page where another page has a widget of that name.

What the address asks for and the page does not have is ignored; `parts.notes` says so.

Whoever goes back twice in a moment sends, with the address of the second entry, widgets that do not show that of the
first one yet. So nothing is taken for a choice when the history led to the address (`by_history`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

T = TypeVar("T")

LONGEST = 60
"""Characters of an ignored value that a note repeats."""

_ignored: ContextVar[dict[str, str] | None] = ContextVar("ignored", default=None)
"""The parameters whose values the part of a page that is being drawn could not use."""


@contextmanager
def ignoring() -> Iterator[dict[str, str]]:
    """Collect the parameters, by name, whose values could not be used in what is drawn inside."""
    ignored: dict[str, str] = {}
    token = _ignored.set(ignored)
    try:
        yield ignored
    finally:
        _ignored.reset(token)


def choice(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[T],
    name: str,
    default: T | None = None,
    *,
    resets: Sequence[str] = (),
    **look: Any,
) -> T:
    """One of the options. widget: Streamlit's, that shows them. default: the first option unless given. resets: the
    parameters that mean nothing any more once another option was chosen. look: options of the widget.
    """
    first = options[0] if default is None else default
    known = {str(option): option for option in options}
    key, keep = _kept(name, first, lambda said: known[said[-1]], lambda value: [str(value)], resets)
    chosen: T = widget(label, options, key=key, on_change=keep, **look)
    return chosen


def perhaps(widget: Callable[..., Any], label: str, options: Sequence[T], name: str, **look: Any) -> T | None:
    """One of the options, or none of them, which is the default."""
    known = {str(option): option for option in options}
    key, keep = _kept(name, None, lambda said: known[said[-1]], lambda value: [str(value)])
    chosen: T | None = widget(label, options, key=key, on_change=keep, **look)
    return chosen


def choices(
    widget: Callable[..., Any],
    label: str,
    options: Sequence[T],
    name: str,
    default: Sequence[T] = (),
    *,
    most: int | None = None,
    **look: Any,
) -> list[T]:
    """Some of the options, at most `most`. None of them, where that is not the default, is an empty parameter."""
    known = {str(option): option for option in options}

    def parsed(said: Sequence[str]) -> list[T]:
        values = [known[each] for each in dict.fromkeys(said) if each in known]
        rest = [] if most is None else values[most:]
        _ignore(name, [*(each for each in said if each and each not in known), *map(str, rest)])
        if not values and "" not in said:
            raise ValueError
        return values[:most]

    key, keep = _kept(name, list(default), parsed, lambda values: [str(value) for value in values] or [""])
    if most is not None:
        look["max_selections"] = most
    return list(widget(label, options, key=key, on_change=keep, **look))


def flag(label: str, name: str, default: bool = False, **look: Any) -> bool:
    """A switch: `1` or `0` in the address."""
    key, keep = _kept(name, default, lambda said: {"1": True, "0": False}[said[-1]], lambda on: [str(int(on))])
    return st.toggle(label, key=key, on_change=keep, **look)


def number(
    label: str,
    name: str,
    default: float | None,
    low: float,
    high: float | None = None,
    *,
    integer: bool = False,
    **look: Any,
) -> Any:
    """A number from `low` to `high`, which is whole if `integer`; None where there is no default and none was given."""
    kind: type[int] | type[float] = int if integer else float

    def parsed(said: Sequence[str]) -> float:
        value = kind(said[-1])
        if not (isfinite(value) and low <= value <= (value if high is None else high)):
            raise ValueError
        return value

    first = None if default is None else kind(default)
    key, keep = _kept(name, first, parsed, lambda value: [f"{value:.12g}"])
    if not integer:
        # As many digits as it has, and not always two.
        look.setdefault("format", "%g")
    look |= {"min_value": kind(low), "max_value": None if high is None else kind(high)}
    return st.number_input(label, key=key, on_change=keep, **look)


def text(label: str, name: str, longest: int, **look: Any) -> str:
    """A text of at most `longest` characters; none by default."""

    def parsed(said: Sequence[str]) -> str:
        if len(said[-1]) > longest:
            raise ValueError
        return said[-1]

    key, keep = _kept(name, "", parsed, lambda value: [value])
    return st.text_input(label, key=key, on_change=keep, max_chars=longest, **look) or ""


def read(name: str, parse: Callable[[Sequence[str]], T], default: T) -> T:
    """A parameter that no widget shows. parse: raises KeyError or ValueError for what cannot be."""
    said = st.query_params.get_all(name)
    if not said:
        return default
    try:
        return parse(said)
    except (KeyError, ValueError):
        _ignore(name, said)
        return default


def write(name: str, texts: Sequence[str]) -> None:
    """Set a parameter that a reader has chosen; without texts, leave it out."""
    _known().add(name)
    if by_history():
        return
    if texts:
        st.query_params[name] = list(texts)
    elif name in st.query_params:
        del st.query_params[name]


def forget() -> None:
    """Leave out everything that was chosen on pages: it was about another experiment."""
    for name in _known():
        write(name, ())


def by_history() -> bool:
    """Whether Back or Forward led to the address: it decides what every widget shows."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def begin(page: str) -> None:
    """Say which page is drawn: widgets of two pages may have the same name, and are not the same."""
    st.session_state["page of widgets"] = page


def _ignore(name: str, values: Sequence[str]) -> None:
    ignored = _ignored.get()
    if values and ignored is not None:
        text = ", ".join(values)
        ignored[name] = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _known() -> set[str]:
    """The parameters of this module, as far as the session has met them."""
    known: set[str] = st.session_state.setdefault("parameters", set())
    return known


def _kept(
    name: str,
    default: Any,
    parse: Callable[[Sequence[str]], Any],
    texts: Callable[[Any], list[str]],
    resets: Sequence[str] = (),
) -> tuple[str, Callable[[], None]]:
    """The key of a widget, whose value is that of the address; and what keeps there what a reader chooses."""
    _known().add(name)
    key, value = f"{st.session_state.get('page of widgets', '')} {name}", read(name, parse, default)
    # Only a change: Streamlit takes a value that is set for one that the browser has to take over.
    if key not in st.session_state or st.session_state[key] != value or by_history():
        st.session_state[key] = value

    def keep() -> None:
        chosen = st.session_state[key]
        for other in resets:
            write(other, ())
        write(name, () if chosen is None or chosen == default else texts(chosen))

    return key, keep
