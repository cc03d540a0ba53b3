"""The answer of an experiment, with the evidence and the doubts."""

import shlex
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard.pages import page
from dashboard.parts import about_experiment, chart, plain
from search.budgets import crossover_sentence
from search.credit import credit, credit_sentence, tuning_gains
from search.figures import verdict as figures
from search.losses import means, test_losses, test_scores
from search.results import Result
from search.summary import arm_summaries


def _verdict(found: Result) -> None:
    st.subheader(plain(found.answer), anchor=False)
    if found.verdicts and found.verdicts[0].difference is not None:
        st.write(plain(f"{found.verdicts[0].why[0].upper()}{found.verdicts[0].why[1:]}."))
    for alarm in found.alarms:
        st.warning(f"**{plain(alarm.arm or alarm.kind)}**: {plain(alarm.message)}", icon=":material/warning:")
        if alarm.resume is not None:
            st.code(f"cooldown resume {shlex.quote(found.name)} {alarm.resume}".rstrip(), language="bash")
    if found.verdicts:
        st.header("Every pair", anchor=False)
        chart(
            figures.forest(found.verdicts),
            "pairs",
            reading="A dot left of 0 speaks for the first arm of a pair. A pair is decided where its whole interval "
            "lies beyond the shaded band, and a tie where it lies inside. Many pairs are corrected for their number.",
            table=figures.forest_table(found.verdicts),
        )
    st.header("Every repeat", anchor=False)
    measure = st.segmented_control("Measured by", ["Test loss", "Test score"], default="Test loss", required=True)
    read = test_losses if measure == "Test loss" else test_scores
    values = {arm: means(by_repeat) for arm, by_repeat in read(found.record).items()}
    if any(values.values()):
        best: Literal["lowest", "highest"] = "lowest" if measure == "Test loss" else "highest"
        chart(
            figures.repeats(values, str(measure), best=best),
            "repeats",
            reading=f"A dot is one repeat, an independent tuning: the mean of its winner over fresh seeds; the {best} "
            "is best. The tick is the mean of the repeats.",
            table=figures.repeats_table(values, str(measure), best=best),
        )
    else:
        st.info("No winner has been evaluated yet: this comes when a first study is complete.")
    _credit(found)
    _budget(found)
    _cost(found)


def _credit(found: Result) -> None:
    st.header("Who deserves the credit", anchor=False)
    gained = tuning_gains(found.record)
    pair = (found.verdicts[0].a, found.verdicts[0].b) if found.verdicts else None
    split = credit(found.record, pair) if pair else None
    if pair and split and split.shares:
        st.write(plain(credit_sentence(found.record, pair)))
        chart(
            figures.credit(split.shares),
            "credit",
            reading=f"The way from {split.first} to {split.other}, divided among the three things that change; below 0 "
            "the loss falls. The bars add up to the whole; the whiskers are 95 % intervals.",
            table=figures.credit_table(split.shares),
        )
    elif split:
        st.info(f"To divide the difference up, the experiment lacks: {plain(', '.join(split.missing))}.")
    if gained:
        st.dataframe(
            pd.DataFrame(gained).rename(columns=GAINS),
            hide_index=True,
            alt="Test loss of each arm's default config and of its tuned one",
        )
        st.caption("Test loss of each arm untuned and tuned: a negative difference is what the search gained.")
    else:
        st.info("There are no default configs beside tuned ones yet.")


GAINS = {
    "arm": "Arm",
    "default_loss": "Default",
    "tuned_loss": "Tuned",
    "difference": "Difference",
    "low": "95 % from",
    "high": "to",
    "repeats": "Repeats",
}


def _budget(found: Result) -> None:
    st.header("From which budget on", anchor=False)
    sentence = crossover_sentence(found.record, found.verdicts[0].a, found.verdicts[0].b) if found.verdicts else ""
    st.write(plain(sentence) or "This takes two arms with trials.")
    st.page_link(page("budget"), label="Curves over the budget", icon=":material/savings:")


def _cost(found: Result) -> None:
    st.header("What it cost", anchor=False)
    rows = [
        {
            "Arm": arm.arm,
            "Search": arm.search_gradient_evaluations,
            "Evaluation": arm.evaluation_gradient_evaluations,
            "Default config": arm.default_gradient_evaluations,
            "Narrower ranges": arm.superseded_gradient_evaluations,
            "All": arm.gradient_evaluations,
            "Seconds of a core": arm.seconds,
            "Diverged": arm.diverged,
        }
        for arm in arm_summaries(found.record)
    ]
    table = pd.DataFrame(rows)
    if not table["Narrower ranges"].any():
        table = table.drop(columns="Narrower ranges")
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            **{name: st.column_config.NumberColumn(format="localized") for name in table.columns if name != "Arm"},
            "Seconds of a core": st.column_config.NumberColumn(format="%.1f"),
            "Diverged": st.column_config.NumberColumn(format="percent", help="Share of the search's runs"),
        },
        alt="Gradient evaluations and seconds per arm",
    )
    st.caption("In gradient evaluations, where one row's gradient is 1; diverged and pruned runs are included.")


st.title("Verdict")
about_experiment(_verdict)
