"""The script that Streamlit runs: the frame around every page, with the menu and the choice of the experiment."""

from pathlib import Path

import streamlit as st

from cooldown.dashboard import acting, addressed, data
from cooldown.dashboard.pages import links, menu
from cooldown.dashboard.parts import errors_shown
from cooldown.dashboard.style import CLOSE_MENU, style
from cooldown.objectives.plain_text import visible

ICON = Path(__file__).with_name("icon.png")
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="32" viewBox="0 0 150 32">'
    '<text x="0" y="24" font-family="sans-serif" font-size="25" font-weight="600" fill="#2F8FCB">Cooldown</text></svg>'
)
"""The name in a blue that is readable on white and on black."""

st.set_page_config(page_title="Cooldown", page_icon=str(ICON), layout="wide")

st.logo(LOGO, size="large", icon_image=str(ICON))
page = st.navigation(menu(), position="hidden")
st.html(f"{style(dark=st.context.theme.type == 'dark')}{CLOSE_MENU}", unsafe_allow_javascript=True)
addressed.begin(page.url_path)

with errors_shown():
    names = data.names()
    wanted = st.query_params.get("experiment")
    missing = wanted if wanted not in names else None
    # The address decides whenever it has changed, by a link or by Back; else the choice does, and the address follows.
    if wanted != st.session_state.get("address") or addressed.by_history():
        st.session_state["experiment"] = wanted
    if names and st.session_state.get("experiment") not in names:
        # It can only be set before its widget exists.
        st.session_state["experiment"] = names[0]
    with st.sidebar:
        links(missing or st.session_state.get("experiment"))
        if names and missing is None:
            st.selectbox(
                "Experiment",
                names,
                key="experiment",
                format_func=visible,
                on_change=addressed.forget,
                help="The experiment that the pages show. It is part of the address, so you can share a link.",
            )
            st.query_params["experiment"] = st.session_state["experiment"]
    st.session_state["address"] = st.query_params.get("experiment")
    # Of tabs and bookmarks.
    subject = [visible(str(st.session_state["address"]))] if st.session_state["address"] else []
    st.set_page_config(page_title=" · ".join([page.title, *subject, "Cooldown"]))
    st.session_state["missing experiment"] = missing
    if st.session_state.get("page") != page.url_path:
        st.session_state["page"] = page.url_path
        acting.forget_outcome()
    page.run()
