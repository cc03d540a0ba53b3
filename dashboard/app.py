"""What Streamlit runs: the frame around every page, with the choice of the experiment that the pages are about."""

from pathlib import Path

import streamlit as st

from dashboard import data
from dashboard.pages import menu
from dashboard.parts import complain

ICON = Path(__file__).with_name("icon.png")

st.set_page_config(page_title="Cooldown", page_icon=str(ICON), layout="wide")

page = st.navigation(menu())

with complain():
    names = [summary.name for summary in data.summaries()]
    wanted = st.query_params.get("experiment")
    if wanted is not None and wanted not in names:
        # Told until another one is chosen than the one that is shown instead.
        st.session_state["not there"] = wanted, names[0] if names else None
    if names:
        if "opened" in st.session_state:
            st.session_state["experiment"] = st.session_state.pop("opened")
        elif wanted not in names and st.session_state.get("experiment") not in names:
            st.session_state["experiment"] = names[0]
        with st.sidebar:
            st.selectbox(
                "Experiment",
                names,
                # With a default the address would not name the experiment that is the default.
                index=None,
                key="experiment",
                bind="query-params",
                help="What the pages are about. It is part of the address, so that a link can be sent.",
            )
    page.run()
