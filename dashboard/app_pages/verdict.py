"""The answer of an experiment, with its evidence and alarms."""

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
from cooldown.search.evidence.tables import arms_table, cost_table, effects_table, gains_table, pairs_table, versus
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import verdict as figures
from cooldown.search.spec.arms import short
from cooldown.search.spec.experiment import data_options
from cooldown.search.statistics.verdict import PRACTICAL, Verdict
from cooldown.storage import Status

PAGE = {"title": "Verdict", "icon": "gavel", "section": "This experiment", "place": 20}

WORDS: dict[str, tuple[str, Literal["green", "red", "blue", "orange"], str]] = {
    "a_better": ("beats", "green", ":material/trophy:"),
    "b_better": ("loses to", "red", ":material/thumb_down:"),
    "tie": ("ties with", "blue", ":material/balance:"),
    "undecided": ("undecided vs", "orange", ":material/help:"),
}
"""The verdict on the first pair as a verb of its first arm, with a colour and an icon."""


def _verdict(result: Result) -> None:
    first = result.verdicts[0] if result.verdicts else None
    if first:
        _at_a_glance(result, first)
    st.write(plain(result.answer))
    if first is None:
        _one_arm(result)
    elif first.difference is not None:
        st.caption(plain(f"{first.why[0].upper()}{first.why[1:]}."))
        # Not where the verdict is withheld: more repeats of these searches would not help.
        if first.repeats_to_decide and first.repeats_to_decide <= PRACTICAL and result.status is Status.DONE:
            st.caption("To settle it:")
            terminal("resume", result.name, "--repeats", str(first.repeats_to_decide))
    for alarm in result.alarms:
        st.warning(f"**{plain(short(alarm.arm or alarm.kind))}**: {plain(alarm.message)}", icon=":material/warning:")
        if alarm.resume is not None:
            terminal("resume", result.name, *alarm.resume.split())
    if result.scope:
        st.caption(plain(result.scope))
    evidence(arms_table(result.view), "arms")
    _pairs(result)
    _repeats(result)
    _credit(result)
    if first:
        _budget(result, first)
    _cost(result)


def _at_a_glance(result: Result, first: Verdict) -> None:
    """The first pair, its verdict and its numbers, above all sentences."""
    word, colour, icon = WORDS[first.verdict]
    if first.difference is None:
        word, colour, icon = "no verdict yet vs", "blue", ":material/hourglass:"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(short(first.a))}**", width="content")
        st.badge(word, icon=icon, color=colour)
        st.markdown(f"**{plain(short(first.b))}**", width="content")
    repeats = f"{first.repeats} of {counted(result.view.spec.repeats, 'repeat')}"
    between = "no interval yet"
    if first.low is not None:
        between = f"95 % interval {interval(first.low, first.high)}"
    with st.container(horizontal=True):
        # Both means are over the repeats of the difference, also while other repeats are incomplete.
        for arm, loss in ((first.a, first.a_loss), (first.b, first.b_loss)):
            _number(f"{plain(short(arm))}: test loss", formatted(loss, Form.LOSS), repeats, arm)
        difference = formatted(first.difference, Form.DIFFERENCE)
        about = f"{versus(first.a, first.b)}: first minus second. A negative difference favours the first arm."
        _number("Difference", difference, between, about)


def _number(label: str, value: str, note: str, about: str) -> None:
    st.metric(label, value, note, delta_color="off", delta_arrow="off", help=plain(about), border=True, width=280)


def _one_arm(result: Result) -> None:
    """The command that compares the arm of a single-arm experiment with another one."""
    st.caption("To compare it with another arm:")
    spec = result.view.spec
    task = [spec.task, *data_options(result.record.spec)]
    arm = spec.arms[0]
    other = "adam" if arm != "adam" else "momentum+cosine"
    arms = [arm, other] if short(arm) == arm else ["momentum+cosine", other]
    terminal("compare", *task, *(word for name in arms for word in ("--arm", name)))


def _pairs(result: Result) -> None:
    if not result.verdicts:
        return
    st.header("All pairs", anchor=False)
    if all(verdict.difference is None for verdict in result.verdicts):
        st.info("No pair can be compared yet: both of its arms need evaluated winners.")
        return
    chart(
        figures.forest(result.verdicts),
        "pairs",
        reading=figures.FOREST_CAPTION,
        table=lambda: pairs_table(result.verdicts),
    )


def _repeats(result: Result) -> None:
    st.header("All repeats", anchor=False)
    measure = st.segmented_control("Measure", ["Test loss", "Test score"], default="Test loss", required=True)
    read = test_losses if measure == "Test loss" else test_scores
    values = {arm: means(per_repeat) for arm, per_repeat in read(result.view).items()}
    if any(values.values()):
        best: Literal["lowest", "highest"] = "lowest" if measure == "Test loss" else "highest"
        chart(
            figures.repeats(values, str(measure), best=best),
            "repeats",
            reading=figures.repeats_caption(best),
            table=lambda: figures.repeats_table(values, str(measure), best=best),
        )
    else:
        st.info("No winner has been evaluated yet: this needs a complete study.")


def _credit(result: Result) -> None:
    view, pair = result.view, compared_pair(result.view)
    split, gained = credit_split(view, pair) if pair else None, tuning_gains(view)
    defaults = any(arm.is_single for arm in view.parsed_arms.values())
    if not (split or gained or defaults):
        # Joint arms have no default config.
        return
    st.header("Where the gain came from", anchor=False)
    if pair and split and split.shares:
        st.write(plain(credit_sentence(view, pair)))
        effects, total = spoken_effects(split), {**split.shares, "total": split.effects["total"]}
        chart(
            figures.credit(effects),
            "effects",
            reading="Effects on the test loss: negative values lower it. The whiskers are 95 % intervals.",
            table=lambda: effects_table(effects),
        )
        st.subheader("Contributions to the total", anchor=False)
        st.write(plain(total_sentence(split)))
        chart(
            figures.credit(total),
            "credit",
            reading="Contributions of optimizer, schedule and tuning, averaged over all orders of changing them; the "
            "three bars add up to the total. They include changes between untuned arms, and so differ from the effects "
            "above.",
            table=lambda: effects_table(total),
        )
    elif split:
        st.info(plain(missing_sentence(split)))
    if gained:
        st.subheader("Default and tuned", anchor=False)
        evidence(gains_table(view), "gains")
    elif defaults and not split and result.status is not Status.DONE:
        st.info("No arm has both its default config and a tuned one evaluated yet.")


def _budget(result: Result, first: Verdict) -> None:
    view, pair = result.view, (first.a, first.b)
    sentence, curves = crossover_sentence(view, *pair), budget_curves(view)
    shown = {arm: curves[arm] for arm in pair if arm in curves}
    if not sentence or not shown:
        return
    st.header("How many trials until it pays", anchor=False)
    st.write(plain(sentence))
    figure = budget_figures.budget(shown, pair_crossover(view, *pair), pair, log=True, height=340)
    reading = budget_figures.budget_caption(view)
    chart(figure, "small budget", reading=reading, table=lambda: budget_figures.budget_table(shown))
    st.page_link(page("budget"), label="All arms and other budget units", icon=":material/savings:")


def _cost(result: Result) -> None:
    st.header("Cost", anchor=False)
    evidence(cost_table(result.view), "cost")
    evidence(cost_table(result.view, "seconds"), "cost in seconds")


st.title("Verdict")
about_experiment(_verdict)
