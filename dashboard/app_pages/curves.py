"""Learning curves of the arms' winners, with the learning rate as it was executed."""

import streamlit as st

from dashboard.parts import about_experiment, chart
from search.figures import learning as figures
from search.learning import AMOUNTS, winners_curves
from search.results import Result

LOSSES: list[figures.Losses] = ["validation", "training"]


def _curves(found: Result) -> None:
    curves = winners_curves(found.record)
    if not curves:
        st.info("There are no trials yet.")
        return
    first = found.verdicts[0] if found.verdicts else None
    shown = [arm for arm in (first.a, first.b) if arm in curves] if first else list(curves)
    arms = st.multiselect("Arms", list(curves), default=shown, key="arms of curves")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        losses = st.segmented_control("Loss", LOSSES, default=LOSSES[0], required=True)
        x = st.selectbox("Against", AMOUNTS)
        log_loss = st.toggle("Logarithmic loss", value=True)
        log_x = st.toggle("Logarithmic axis below")
        replicates = st.toggle("Single replicates")
    if not arms:
        st.info("Choose at least one arm.")
        return
    chosen = {arm: curves[arm] for arm in arms}
    chart(
        figures.learning(chosen, losses=losses, x=x, log_loss=log_loss, log_x=log_x, replicates=replicates),
        "curves",
        reading="The winners of all repeats with their further seeds: the line is the median, the band holds the "
        "middle half. Below, the learning rate as it was executed, on the same axis.",
        table=figures.learning_table(chosen, losses),
    )


st.title("Learning curves")
about_experiment(_curves)
