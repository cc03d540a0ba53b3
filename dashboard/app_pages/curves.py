"""Learning curves of the arms' winners, with the learning rate as it was executed."""

from collections.abc import Sequence

import streamlit as st

from cooldown.dashboard.parts import about_experiment, chart
from cooldown.search.evidence.learning import AMOUNTS, winners_curves
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.figures import learning as figures
from cooldown.search.spec.arms import short

PAGE = {"title": "Learning curves", "icon": "show_chart", "section": "This experiment", "place": 30}

LOSSES: list[figures.Losses] = ["validation", "training"]


def _curves(found: Result) -> None:
    curves = winners_curves(found.view)
    if not curves:
        st.info("There are no trials yet.")
        return
    first = found.verdicts[0] if found.verdicts else None
    shown = ([arm for arm in (first.a, first.b) if arm in curves] if first else []) or list(curves)
    arms = list(curves)
    if len(curves) > 1:
        arms = st.multiselect("Arms", list(curves), default=shown, key="arms of curves", format_func=short)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        losses = st.segmented_control("Loss", LOSSES, default=LOSSES[0], required=True)
        x = st.selectbox("Against", AMOUNTS, width=150)
        log_loss = st.toggle("Log loss axis", value=True)
        log_x = st.toggle("Log x-axis")
        replicates = st.toggle("Single replicates")
    if not arms:
        st.info("Choose at least one arm.")
        return
    chosen = {arm: curves[arm] for arm in arms}
    chart(
        figures.learning(chosen, losses=losses, x=x, log_loss=log_loss, log_x=log_x, replicates=replicates),
        "curves",
        reading=_reading(found.view, arms),
        table=lambda: figures.learning_table(chosen, losses),
    )


def _reading(view: View, arms: Sequence[str]) -> str:
    """What is drawn, which while an experiment is under way are not everywhere its finalists."""
    told = []
    for arm in arms:
        begun = [study.winner for study in view.searches(arm) if study.winner]
        further = sum(winner.finalist_loss is not None for winner in begun)
        total = view.spec.repeats
        if further < total:
            rest = len(begun) - further
            found = f"its winners in {further} of {counted(total, 'repeat')}" if further else ""
            search = f"the best trial so far, with the search's seeds, in {rest} of {counted(total, 'repeat')}"
            told.append(f"of {short(arm)} {' and '.join(filter(None, (found, search if rest else '')))}")
    if not told:
        return (
            f"{figures.CAPTION} Bands hold what splits differ in, too: repeats are paired, as all arms have the same."
        )
    return (
        f"What there is so far: {'; '.join(told)}. The line is the median, the band holds the middle half. Below, the "
        "learning rate as it was executed, on the same axis."
    )


st.title("Learning curves")
about_experiment(_curves)
