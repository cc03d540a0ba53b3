"""The answer of an experiment, with its evidence and alarms."""

from typing import Literal

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.choosing import best_choice
from cooldown.dashboard.config_files import download
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import about_experiment, chart, evidence, plain, terminal
from cooldown.search.evidence.against_best import against_best, against_best_table, by_loss, standings_table
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
from cooldown.search.evidence.measures import best_score, options
from cooldown.search.evidence.numbers import duration
from cooldown.search.evidence.references import references_table
from cooldown.search.evidence.tables import cost_table, effects_table, gains_table, pairs_table
from cooldown.search.evidence.target_units import errors_table
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.evidence.wording import config_in_words
from cooldown.search.experiments.result import Result
from cooldown.search.export.formats.json import json
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import standings
from cooldown.search.figures import verdict as figures
from cooldown.search.spec.arms import short
from cooldown.search.spec.task_fields import data_options
from cooldown.search.statistics.verdict import Verdict
from cooldown.storage import Status

PAGE = {"title": "Answer", "icon": "gavel", "section": "This experiment", "place": 20}

FEW = 3
"""The most pairs that each have a row of their own."""


def _verdict(result: Result) -> None:
    _answer(result)
    _pairs(result)
    for key, table in (("references", references_table(result.view)), ("errors", errors_table(result.view))):
        if len(table):
            evidence(table, key)
    _best(result)
    _alarms(result)
    if result.scope:
        st.caption(plain(result.scope))
    _repeats(result)
    _matrix(result)
    _credit(result)
    if result.verdicts:
        _budget(result, result.verdicts[0])
    _cost(result)


def _answer(result: Result) -> None:
    """The answer as the headline, what to do next, and all arms in one table."""
    found = result.answer
    st.caption(plain(found.question))
    st.header(plain(found.sentence), anchor=False)
    if found.why:
        st.caption(plain(found.why))
    _next(result)
    evidence(standings_table(result.view), "arms")


def _best(result: Result) -> None:
    """The config that an export takes: in words, to download, and where it comes from."""
    chosen = best_choice(result.view)
    if chosen is None:
        return
    study, trial = chosen.study, chosen.trial
    st.header("Best config", anchor=False)
    st.markdown(f"**{plain(short(study.arm))}:** {plain(config_in_words(trial.config))}")
    here = address(result.name, arm=study.arm, repeat=study.repeat, trial=trial.number)
    with st.container(horizontal=True, vertical_alignment="center"):
        download(result.view, study, trial, json, "Download as JSON")
        st.page_link(page("export"), label="Other formats", icon=":material/code:", query_params=here)
        st.page_link(page("trial"), label="Its trial", icon=":material/science:", query_params=here)


def _alarms(result: Result) -> None:
    """The alarms, and below them each command that addresses some of them, unless it is the next step anyway."""
    for alarm in result.alarms:
        st.warning(f"**{plain(short(alarm.arm or alarm.kind))}**: {plain(alarm.message)}", icon=":material/warning:")
    step = result.answer.next
    for resume in dict.fromkeys(alarm.resume for alarm in result.alarms if alarm.resume is not None):
        if step is None or result.status is not Status.DONE or resume not in step.command:
            terminal("resume", result.name, *resume.split())


def _next(result: Result) -> None:
    """One next step, with its price; where the question is answered, to take the best config."""
    step = result.answer.next
    # The header has the command for an experiment that stopped before its end.
    if step and result.status is Status.DONE:
        price = f", about {duration(step.seconds)}" if step.seconds else ""
        st.caption(plain(f"{step.purpose}{price}{':' if step.command else '.'}"))
        if step.command:
            st.code(step.command, language="bash", wrap_lines=True)
    elif step is None and result.status is Status.DONE and best_choice(result.view) is not None:
        st.caption("To use the best config:")
        terminal("export", result.name, "-o", "best.toml")
    if not result.verdicts:
        _one_arm(result)


def _one_arm(result: Result) -> None:
    """The command that compares the arm of a single-arm experiment with another one."""
    st.caption("To compare it with another arm:")
    spec = result.view.spec
    task = [spec.task, *data_options(result.record.spec), *options(spec.to_json())]
    arm = spec.arms[0]
    other = "adam" if arm != "adam" else "momentum+cosine"
    # A joint arm's name would fill the command.
    arms = [arm, other] if short(arm) == arm or result.view.parsed_arms[arm].settings else ["momentum+cosine", other]
    terminal("compare", *task, *(word for name in arms for word in ("--arm", name)))


def _pairs(result: Result) -> None:
    """The ratios of losses: of every pair, or of many arms against the best one."""
    if not result.verdicts:
        return
    if all(verdict.difference is None for verdict in result.verdicts):
        st.info("No pair can be compared yet: both of its arms need evaluated winners.")
        return
    if len(result.verdicts) <= FEW:
        chart(
            figures.forest(result.verdicts),
            "pairs",
            reading=figures.FOREST_CAPTION,
            table=lambda: pairs_table(result.verdicts, best_score(result.view.spec)),
        )
        return
    chart(
        standings.against_best(against_best(result.view)),
        "pairs",
        reading=standings.AGAINST_CAPTION,
        table=lambda: against_best_table(result.view),
    )


def _matrix(result: Result) -> None:
    """All pairs, where they are too many for rows."""
    if len(result.verdicts) <= FEW or not against_best(result.view):
        return
    st.header("All pairs", anchor=False)
    chart(
        standings.matrix([arm.arm for arm in by_loss(result.view)], result.verdicts),
        "matrix",
        reading=standings.MATRIX_CAPTION,
        table=lambda: pairs_table(result.verdicts, best_score(result.view.spec)),
    )


def _repeats(result: Result) -> None:
    st.header("All repeats", anchor=False)
    measure = addressed.choice(st.segmented_control, "Measure", ["Test loss", "Test score"], "measure", required=True)
    read = test_losses if measure == "Test loss" else test_scores
    values = {arm: means(per_repeat) for arm, per_repeat in read(result.view).items()}
    if any(values.values()):
        best: Literal["lowest", "highest"] = "lowest" if measure == "Test loss" else best_score(result.view.spec)
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
    st.page_link(
        page("budget"),
        label="All arms and other budget units",
        icon=":material/savings:",
        query_params=address(result.name),
    )


def _cost(result: Result) -> None:
    st.header("Cost", anchor=False)
    evidence(cost_table(result.view), "cost")
    evidence(cost_table(result.view, "seconds"), "cost in seconds")


st.title("Answer")
about_experiment(_verdict)
