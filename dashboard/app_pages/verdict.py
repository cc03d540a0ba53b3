"""The answer of an experiment, with the evidence and the doubts."""

from typing import Literal

import pandas as pd
import streamlit as st

from cooldown.dashboard.pages import page
from cooldown.dashboard.parts import about_experiment, chart, decimals, percent, plain, rows, signed, terminal
from cooldown.search.evidence.budgets import crossover_sentence, pair_crossover
from cooldown.search.evidence.credit import credit, credit_sentence, spoken_effects, way_sentence
from cooldown.search.evidence.losses import means, test_losses, test_scores
from cooldown.search.evidence.tables import COSTS, GAINS, costs, gains
from cooldown.search.evidence.verdict import arm_summaries
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import captions
from cooldown.search.figures import verdict as figures
from cooldown.search.spec.arms import Arm, short
from cooldown.search.statistics.verdict import PRACTICAL, Verdict
from cooldown.search.tuning.studies import single
from cooldown.storage import Status

PAGE = {"title": "Verdict", "icon": "gavel", "section": "This experiment", "place": 20}

WORDS: dict[str, tuple[str, Literal["green", "red", "blue", "orange"], str]] = {
    "a_better": ("beats", "green", ":material/trophy:"),
    "b_better": ("loses to", "red", ":material/thumb_down:"),
    "tie": ("ties with", "blue", ":material/balance:"),
    "undecided": ("undecided against", "orange", ":material/help:"),
}
"""What the first arm of the first pair does, its colour and its sign."""


def _verdict(found: Result) -> None:
    first = found.verdicts[0] if found.verdicts else None
    if first:
        _at_a_glance(found, first)
    st.write(plain(found.answer))
    if first is None:
        _one_arm(found)
    elif first.difference is not None:
        st.caption(plain(f"{first.why[0].upper()}{first.why[1:]}."))
        # Not where the verdict is withheld: more repeats of the same searches would not help.
        if first.repeats_to_decide and first.repeats_to_decide <= PRACTICAL and found.status is Status.DONE:
            st.caption("To decide it:")
            terminal("resume", found.name, "--repeats", str(first.repeats_to_decide))
    for alarm in found.alarms:
        st.warning(f"**{plain(short(alarm.arm or alarm.kind))}**: {plain(alarm.message)}", icon=":material/warning:")
        if alarm.resume is not None:
            terminal("resume", found.name, *alarm.resume.split())
    _pairs(found)
    _repeats(found)
    _credit(found)
    if first:
        _budget(found, first)
    _cost(found)


def _at_a_glance(found: Result, first: Verdict) -> None:
    """Who against whom, by how much: before any sentence."""
    by_arm = {arm.arm: arm for arm in arm_summaries(found.record)}
    word, colour, icon = WORDS[first.verdict]
    if first.difference is None:
        word, colour, icon = "no verdict yet against", "blue", ":material/hourglass:"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(short(first.a))}**", width="content")
        st.badge(word, icon=icon, color=colour)
        st.markdown(f"**{plain(short(first.b))}**", width="content")
    with st.container(horizontal=True):
        for arm in (first.a, first.b):
            own = by_arm[arm]
            loss = "–" if own.test_loss is None else decimals(own.test_loss)
            told = f"{own.evaluated} of {found.record.spec['repeats']} repeats"
            _number(f"{plain(short(arm))}: test loss", loss, told, arm)
        difference = signed(first.difference) if first.difference is not None else "–"
        between = "no interval yet"
        if first.difference is not None and first.low is not None and first.high is not None:
            between = f"95 %: {signed(first.low)} to {signed(first.high)}"
        _number("Difference", difference, between, "First minus second: below 0 the first is better.")


def _number(label: str, value: str, told: str, about: str) -> None:
    st.metric(label, value, told, delta_color="off", delta_arrow="off", help=plain(about), border=True, width=225)


def _one_arm(found: Result) -> None:
    """What one arm cannot answer, and what to type instead."""
    st.caption("A verdict takes two arms, each with searches of its own:")
    spec = found.record.spec
    task = [spec["task"], *(["--target", spec["target"]] if spec.get("target") else [])]
    arm = spec["arms"][0]
    other = "adam" if arm != "adam" else "momentum+cosine"
    arms = [arm, other] if short(arm) == arm else ["momentum+cosine", other]
    terminal("compare", *task, *(word for each in arms for word in ("--arm", each)))


def _pairs(found: Result) -> None:
    if not found.verdicts:
        return
    st.header("Every pair", anchor=False)
    if all(verdict.difference is None for verdict in found.verdicts):
        st.info("No pair can be compared yet: this comes when both arms of one have evaluated winners.")
        return
    chart(
        figures.forest(found.verdicts),
        "pairs",
        reading=captions.PAIRS,
        table=lambda: figures.forest_table(found.verdicts),
    )


def _repeats(found: Result) -> None:
    st.header("Every repeat", anchor=False)
    measure = st.segmented_control("Measured by", ["Test loss", "Test score"], default="Test loss", required=True)
    read = test_losses if measure == "Test loss" else test_scores
    values = {arm: means(by_repeat) for arm, by_repeat in read(found.record).items()}
    if any(values.values()):
        best: Literal["lowest", "highest"] = "lowest" if measure == "Test loss" else "highest"
        chart(
            figures.repeats(values, str(measure), best=best),
            "repeats",
            reading=captions.repeats(best),
            table=lambda: figures.repeats_table(values, str(measure), best=best),
        )
    else:
        st.info("No winner has been evaluated: this comes when a first study is complete.")


def _credit(found: Result) -> None:
    pair = (found.verdicts[0].a, found.verdicts[0].b) if found.verdicts else None
    split, gained = credit(found.record, pair) if pair else None, gains(found.record)
    defaults = any(single(Arm.parse(arm)) for arm in found.record.spec["arms"])
    if not (split or gained or defaults):
        # Arms that choose among several have no default config, and never will.
        return
    st.header("Who deserves the credit", anchor=False)
    if pair and split and split.shares:
        st.write(plain(credit_sentence(found.record, pair)))
        effects, whole = spoken_effects(split), {**split.shares, "total": split.effects["total"]}
        chart(
            figures.credit(effects),
            "effects",
            reading="The numbers of the sentence: below 0 the test loss falls; the whiskers are 95 % intervals.",
            table=lambda: figures.credit_table(effects),
        )
        st.subheader("The whole way, divided up", anchor=False)
        st.write(plain(way_sentence(split)))
        chart(
            figures.credit(whole),
            "credit",
            reading="What of this total the optimizer, the schedule and the tuning account for, averaged over the "
            "orders in which one could change them: the three bars add up to the total. They also hold what "
            "changes before anything is tuned, and so differ from the effects above.",
            table=lambda: figures.credit_table(whole),
        )
    elif split:
        st.info(f"To divide the difference up, the experiment lacks: {plain(', '.join(split.missing))}.")
    if gained:
        st.subheader("Untuned and tuned", anchor=False)
        change = dict.fromkeys(("Difference", "95 % from", "To"), signed)
        rows(
            pd.DataFrame(gained).rename(columns=GAINS),
            key="gains",
            alt="Test loss of each arm's default config and of its tuned one",
            forms=change,
        )
        st.caption(captions.GAINS)
    elif defaults and not split and found.status is not Status.DONE:
        st.info("There are no default configs beside tuned ones yet.")


def _budget(found: Result, first: Verdict) -> None:
    sentence = crossover_sentence(found.record, first.a, first.b)
    curves = found.budget_curves
    own = {arm: curves[arm] for arm in (first.a, first.b) if arm in curves}
    if not sentence or not own:
        return
    st.header("From which budget on", anchor=False)
    st.write(plain(sentence))
    pair = first.a, first.b
    figure = budget_figures.budget(own, pair_crossover(found.record, *pair), pair, log=True, height=340)
    chart(figure, "small budget", reading=captions.budget(found.record), table=lambda: budget_figures.budget_table(own))
    st.page_link(page("budget"), label="All arms, and other units of the budget", icon=":material/savings:")


def _cost(found: Result) -> None:
    st.header("What it cost", anchor=False)
    made = costs(found.record)
    # Without default configs nothing is said of these.
    known = [key for key in made[0] if key != "default" or any(row[key] for row in made)]
    table = pd.DataFrame(made, columns=known).rename(columns={key: COSTS[key] for key in known})
    rows(
        table,
        key="cost",
        alt="Gradient evaluations and seconds per arm",
        forms={"Seconds of a core": "{:,.1f}".format, "Diverged": percent},
    )
    st.caption(captions.COST)


st.title("Verdict")
about_experiment(_verdict)
