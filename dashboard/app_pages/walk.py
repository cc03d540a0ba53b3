"""A walk through the survey, with a command for each paragraph: the page of the documentation, without a network."""

import re
from importlib.resources import files

import streamlit as st

PAGE = {"title": "Walk", "icon": "route", "section": "", "place": 16}

LINK = re.compile(r"\[([^\]]+)\]\([\w/]+\.md[^)]*\)")
"""To another page of the documentation, which is not here."""


@st.cache_data(show_spinner=False)
def _text() -> str:
    return LINK.sub(r"\1", (files("cooldown.dashboard") / "walk.md").read_text(encoding="utf-8"))


title, _, text = _text().removeprefix("# ").partition("\n")
st.title(title)
st.markdown(text)
