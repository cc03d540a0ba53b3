"""The survey's figures 5 and 6, live: paths of optimizers over a surface, each at its tuned rate."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.parts import complain
from objectives import optimizers, surfaces
from search.figures.surface import surface_figure

START = ["sgd", "momentum", "nag", "adagrad", "rmsprop", "adam"]


@st.cache_resource(show_spinner="Tuning learning rates …", max_entries=12)
def _paths(name: str, chosen: tuple[str, ...], steps: int) -> Sequence[Any]:
    return surfaces.trajectories(name, list(chosen), steps)


def _surface() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Surface", surfaces.names(), index=surfaces.names().index("beale"))
        steps = int(st.number_input("Steps", value=surfaces.get(name).steps, min_value=10, max_value=2000, key=name))
    chosen = st.multiselect("Optimizers", optimizers.names(), default=START)
    if not chosen:
        st.info("Choose at least one optimizer.")
        return
    surface, paths = surfaces.get(name), _paths(name, tuple(chosen), steps)
    reading = (
        "Every optimizer walks from the same start at the learning rate that suits it best on this surface. Press "
        "Play; beside it, how the value falls, step by step."
    )
    # The landscape is an image of its own colours, on which the dark theme's would be lost.
    st.plotly_chart(surface_figure(surface, paths), theme=None, height=620, key="surface", alt=reading)
    st.caption(reading)
    with st.expander("The numbers"):
        rows = [
            {
                "Optimizer": path.name,
                "Learning rate": path.learning_rate,
                "Value reached": float(path.values[-1]),
                "Arrived at step": path.arrival,
            }
            for path in paths
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt=reading)


st.title("Surfaces")
with complain():
    _surface()
