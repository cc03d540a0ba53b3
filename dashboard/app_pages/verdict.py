"""The answer of an experiment, with the evidence and the doubts."""

from typing import Literal

import streamlit as st

from cooldown.dashboard.pages import page
from cooldown.dashboard.parts import about_experiment, chart, evidence, plain, terminal
from cooldown.search.evidence.budgets import budget_curves, crossover_sentence, pair_crossover
from cooldown.search.evidence.credit import (
    credit_sentence,
    credit_split,
    missing_sentence,
    spoken_effects,
    total_sentence,
    tuning_gains,
)
from cooldown.search.evidence.losses import means, test_losses, test_scores
from cooldown.search.evidence.numbers import Form, counted, formatted, interval
from cooldown.search.evidence.tables import cost_table, gains_table, versus
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import verdict as figures
from cooldown.search.spec.arms import short
from cooldown.search.statistics.verdict import PRACTICAL, Verdict
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
            st.caption("To settle it:")
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
    word, colour, icon = WORDS[first.verdict]
    if first.difference is None:
        word, colour, icon = "no verdict yet against", "blue", ":material/hourglass:"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(short(first.a))}**", width="content")
        st.badge(word, icon=icon, color=colour)
        st.markdown(f"**{plain(short(first.b))}**", width="content")
    repeats = f"{first.repeats} of {counted(found.view.spec.repeats, 'repeat')}"
    between = "no interval yet"
    if first.low is not None:
        between = f"95 % interval {interval(first.low, first.high)}"
    with st.container(horizontal=True):
        # Over the repeats that the difference is over, also while others are not complete.
        for arm, loss in ((first.a, first.a_loss), (first.b, first.b_loss)):
            _number(f"{plain(short(arm))}: test loss", formatted(loss, Form.LOSS), repeats, arm)
        difference = formatted(first.difference, Form.DIFFERENCE)
        about = f"{versus(first.a, first.b)}: first minus second; a negative difference favours the first arm."
        _number("Difference", difference, between, about)


def _number(label: str, value: str, told: str, about: str) -> None:
    st.metric(label, value, told, delta_color="off", delta_arrow="off", help=plain(about), border=True, width=225)


def _one_arm(found: Result) -> None:
    """What one arm cannot answer, and what to type instead."""
    st.caption("A verdict takes two arms, each with searches of its own:")
    spec = found.view.spec
    task = [spec.task, *(["--target", spec.target] if spec.target else [])]
    arm = spec.arms[0]
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
        reading=figures.FOREST_CAPTION,
        table=lambda: figures.forest_table(found.verdicts),
    )


def _repeats(found: Result) -> None:
    st.header("Every repeat", anchor=False)
    measure = st.segmented_control("Measured by", ["Test loss", "Test score"], default="Test loss", required=True)
    read = test_losses if measure == "Test loss" else test_scores
    values = {arm: means(per_repeat) for arm, per_repeat in read(found.view).items()}
    if any(values.values()):
        best: Literal["lowest", "highest"] = "lowest" if measure == "Test loss" else "highest"
        chart(
            figures.repeats(values, str(measure), best=best),
            "repeats",
            reading=figures.repeats_caption(best),
            table=lambda: figures.repeats_table(values, str(measure), best=best),
        )
    else:
        st.info("No winner has been evaluated: this comes when a first study is complete.")


def _credit(found: Result) -> None:
    view, pair = found.view, compared_pair(found.view)
    split, gained = credit_split(view, pair) if pair else None, tuning_gains(view)
    defaults = any(arm.is_single for arm in view.parsed_arms.values())
    if not (split or gained or defaults):
        # Arms that choose among several have no default config, and never will.
        return
    st.header("Where the gain came from", anchor=False)
    if pair and split and split.shares:
        st.write(plain(credit_sentence(view, pair)))
        effects, total = spoken_effects(split), {**split.shares, "total": split.effects["total"]}
        chart(
            figures.credit(effects),
            "effects",
            reading="The numbers above: negative values lower the test loss; the whiskers are 95 % intervals.",
            table=lambda: figures.credit_table(effects),
        )
        st.subheader("Contributions to the total", anchor=False)
        st.write(plain(total_sentence(split)))
        chart(
            figures.credit(total),
            "credit",
            reading="What optimizer, schedule and tuning contribute to this total, averaged over the orders in which "
            "one could change them; the three bars add up to the total. They include what changes before anything is "
            "tuned, and so differ from the effects above.",
            table=lambda: figures.credit_table(total),
        )
    elif split:
        st.info(plain(missing_sentence(split)))
    if gained:
        st.subheader("Default and tuned", anchor=False)
        evidence(gains_table(view), "gains")
    elif defaults and not split and found.status is not Status.DONE:
        st.info("No arm has both its default config and a tuned one evaluated yet.")


def _budget(found: Result, first: Verdict) -> None:
    view, pair = found.view, (first.a, first.b)
    sentence, curves = crossover_sentence(view, *pair), budget_curves(view)
    own = {arm: curves[arm] for arm in pair if arm in curves}
    if not sentence or not own:
        return
    st.header("How many trials until it pays", anchor=False)
    st.write(plain(sentence))
    figure = budget_figures.budget(own, pair_crossover(view, *pair), pair, log=True, height=340)
    reading = budget_figures.budget_caption(view)
    chart(figure, "small budget", reading=reading, table=lambda: budget_figures.budget_table(own))
    st.page_link(page("budget"), label="All arms, and other units of the budget", icon=":material/savings:")


def _cost(found: Result) -> None:
    st.header("Cost", anchor=False)
    evidence(cost_table(found.view), "cost")


st.title("Verdict")
about_experiment(_verdict)
