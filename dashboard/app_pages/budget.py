"""What a larger search buys: the expected best after so many trials."""

import streamlit as st

from dashboard.parts import about_experiment, chart, plain
from search.budgets import budget_curves, crossover_sentence, pair_crossover
from search.figures import budget as figures
from search.results import Result

AXES = list(figures.TITLES)


def _budget(found: Result) -> None:
    curves = budget_curves(found.record)
    if not curves:
        st.info("There are no trials yet.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = st.segmented_control("Against", AXES, default=AXES[0], required=True)
        log = st.toggle("Logarithmic loss", value=True)
    pair = (found.verdicts[0].a, found.verdicts[0].b) if found.verdicts else None
    crossover = pair_crossover(found.record, *pair) if pair else None
    if pair:
        st.write(plain(crossover_sentence(found.record, *pair)))
    independent = found.record.spec["sampler"] in ("random", "qmc")
    how = (
        "the mean minimum over all subsets of so many trials"
        if independent
        else "the best so far, as the search found it"
    )
    chart(
        figures.budget(curves, crossover, pair, x=x, log=log),
        "budget",
        reading=f"Expected best validation loss of a search that ends there: {how}. The line is the mean over repeats, "
        "the band its 95 % interval at each point. A best of many is lucky: curves compare searches, not results.",
        table=figures.budget_table(curves),
    )


st.title("Budget")
about_experiment(_budget)
