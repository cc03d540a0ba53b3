"""The value of a larger search: the expected best loss after a number of trials."""

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.parts import about_experiment, chart, plain
from cooldown.search.evidence.budgets import budget_curves, crossover_sentence, pair_comparison, pair_crossover
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as figures
from cooldown.search.spec.arms import short

PAGE = {"title": "Budget", "icon": "savings", "section": "This experiment", "place": 50}

AXES = list(figures.TITLES)


def _budget(result: Result) -> None:
    view, pair = result.view, compared_pair(result.view)
    curves = budget_curves(view)
    if not curves:
        st.info("There are no trials yet.")
        return
    shown = [arm for arm in pair or curves if arm in curves] or list(curves)
    if len(curves) > 1:
        shown = addressed.choices(st.multiselect, "Arms", list(curves), "arms", shown, format_func=short)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = addressed.choice(st.segmented_control, "Against", AXES, "against", required=True)
        log = addressed.flag("Log loss axis", "log", True)
        log_x = addressed.flag("Log x-axis", "log_x")
    if not shown:
        st.info("Choose at least one arm.")
        return
    chosen = {arm: curves[arm] for arm in curves if arm in shown}
    whole = pair is not None and set(pair) <= set(shown)
    crossover = pair_crossover(view, *pair) if pair and whole else None
    if pair and (sentence := crossover_sentence(view, *pair)):
        st.write(plain(sentence))
    paired = (
        " The bands include the differences between splits, which are the same for all arms: they may overlap even "
        "where one arm is ahead in every repeat."
        if len(curves) > 1 and max(curve.repeats for curve in curves.values()) > 1
        else ""
    )
    chart(
        figures.budget(chosen, crossover, pair, x=x, log=log, log_x=log_x),
        "budget",
        reading=f"{figures.budget_caption(view)}{paired}",
        table=lambda: figures.budget_table(chosen),
    )
    compared = pair_comparison(view, *pair) if pair else None
    if pair is None or compared is None:
        return
    st.header(plain(f"{short(pair[0])} vs {short(pair[1])}, paired by repeat"), anchor=False)
    interval = (
        "The band is its pointwise 95 % interval, without the differences between splits."
        if compared.repeats > 1
        else "With one repeat there is no interval."
    )
    reading, equal = (
        (
            f"Expected best loss of {short(pair[0])} divided by that of {short(pair[1])}, geometric mean of repeats.",
            1,
        )
        if compared.scale == "ratio"
        else (f"Expected best loss of {short(pair[0])} minus that of {short(pair[1])}, the mean of repeats.", 0)
    )
    chart(
        figures.budget_comparison(compared, pair, log_x),
        "difference",
        reading=f"{reading} {interval} Below {equal}, {short(pair[0])} is ahead.",
        table=lambda: figures.budget_comparison_table(compared),
    )


st.title("Budget")
about_experiment(_budget)
