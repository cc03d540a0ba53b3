"""The script that Streamlit runs: the frame around every page, with the menu and the choice of the experiment."""

from pathlib import Path

import streamlit as st

from cooldown.dashboard import data
from cooldown.dashboard.pages import menu
from cooldown.dashboard.parts import errors_shown
from cooldown.objectives.plain_text import visible

ICON = Path(__file__).with_name("icon.png")
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="32" viewBox="0 0 150 32">'
    '<text x="0" y="24" font-family="sans-serif" font-size="25" font-weight="600" fill="#2F8FCB">Cooldown</text></svg>'
)
"""The name in a blue that is readable on white and on black."""

st.set_page_config(page_title="Cooldown", page_icon=str(ICON), layout="wide")

st.logo(LOGO, size="large", icon_image=str(ICON))
page = st.navigation(menu())
# Streamlit's dark theme would set the text of chips white on our light blue.
if st.context.theme.type == "dark":
    st.html("<style>[data-tag], [data-tag] * { color: #0E1117 !important; }</style>")

with errors_shown():
    names = [*(summary.name for summary in data.summaries()), *(error.experiment for error in data.unreadable())]
    # The address decides when it is opened; afterwards it follows the choice, on every page.
    wanted = st.query_params.get("experiment") if "experiment" not in st.session_state else None
    if wanted is not None and wanted not in names:
        # Shown until the reader chooses another experiment.
        st.session_state["missing experiment"] = wanted, names[0] if names else None
    chosen = st.session_state.pop("opened", wanted or st.session_state.get("experiment"))
    if names:
        st.session_state["experiment"] = chosen if chosen in names else names[0]
        with st.sidebar:
            st.selectbox(
                "Experiment",
                names,
                key="experiment",
                format_func=visible,
                help="The experiment that the pages show. It is part of the address, so you can share a link.",
            )
        st.query_params["experiment"] = st.session_state["experiment"]
    page.run()
