"""How wide a reader's window is: the server does not know it, and asks the browser where a page needs it."""

from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

NARROWEST = 640
"""Pixels of a window below which two charts beside each other are too small; of phones, and of no tablet."""

TELL = """
export default function ({ data, setStateValue }) {
  const query = matchMedia(`(max-width: ${data.narrowest}px)`);
  const tell = () => setStateValue("narrow", query.matches);
  if (query.matches !== data.narrow) {
    tell();
  }
  query.addEventListener("change", tell);
  return () => query.removeEventListener("change", tell);
}
"""
"""It tells nothing while the server has it right: a page in a wide window is not drawn twice."""


def is_narrow() -> bool:
    """Whether the window is narrow: not, until the browser has said so, upon which the page is drawn again."""
    known = bool(st.session_state.get("viewport", {}).get("narrow", False))
    told = _component()(
        key="viewport",
        data={"narrow": known, "narrowest": NARROWEST},
        default={"narrow": False},
        height=1,
        on_narrow_change=_nothing,
    )
    return bool(told["narrow"])


def _nothing() -> None:
    """What a change calls: the page is drawn again anyway."""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("cooldown.viewport", html="<span></span>", js=TELL)
