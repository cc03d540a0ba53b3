"""Learning curves of the arms' winners, with the executed learning rate."""

from collections.abc import Sequence

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.parts import about_experiment, chart
from cooldown.search.evidence.learning import AMOUNTS, winners_curves
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.figures import learning as figures
from cooldown.search.spec.arms import short

PAGE = {"title": "Learning curves", "icon": "show_chart", "section": "This experiment", "place": 30}

LOSSES: list[figures.Losses] = ["validation", "training"]


def _curves(result: Result) -> None:
    curves = winners_curves(result.view)
    if not curves:
        st.info("There are no trials yet.")
        return
    first = result.verdicts[0] if result.verdicts else None
    shown = ([arm for arm in (first.a, first.b) if arm in curves] if first else []) or list(curves)
    arms = list(curves)
    if len(curves) > 1:
        arms = addressed.choices(st.multiselect, "Arms", arms, "arms", shown, format_func=short)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        losses = addressed.choice(st.segmented_control, "Loss", LOSSES, "loss", required=True)
        x = addressed.choice(st.selectbox, "Against", AMOUNTS, "against", width=150)
        log_loss = addressed.flag("Log loss axis", "log", True)
        log_x = addressed.flag("Log x-axis", "log_x")
        replicates = addressed.flag("Individual replicates", "replicates")
    if not arms:
        st.info("Choose at least one arm.")
        return
    chosen = {arm: curves[arm] for arm in arms}
    chart(
        figures.learning(chosen, losses=losses, x=x, log_loss=log_loss, log_x=log_x, replicates=replicates),
        "curves",
        reading=_reading(result.view, arms),
        table=lambda: figures.learning_table(chosen, losses),
    )


def _reading(view: View, arms: Sequence[str]) -> str:
    """The caption: while an experiment is running, some arms have no winners yet, and their best trials are drawn."""
    parts = []
    for arm in arms:
        begun = [study.winner for study in view.searches(arm) if study.winner]
        further = sum(winner.finalist_loss is not None for winner in begun)
        total = view.spec.repeats
        if further < total:
            rest = len(begun) - further
            winners = f"the winners in {further} of {counted(total, 'repeat')}" if further else ""
            search = f"the best trial so far, with the search's seeds, in {rest} of {counted(total, 'repeat')}"
            parts.append(f"{short(arm)}: {' and '.join(filter(None, (winners, search if rest else '')))}")
    if not parts:
        return f"{figures.CAPTION} The bands include the differences between splits, which are the same for all arms."
    return f"So far: {'; '.join(parts)}. {figures.BAND_CAPTION}"


st.title("Learning curves")
about_experiment(_curves)
