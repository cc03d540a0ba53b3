"""How sure the answer of a new experiment is to be, and what each choice takes: time, cost, and what it can find."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cooldown.dashboard import acting, data
from cooldown.dashboard.asking.form import Form, kept
from cooldown.dashboard.parts import plain
from cooldown.search.evidence.numbers import MISSING, counted, duration, formatted, percent
from cooldown.search.evidence.numbers import Form as Numbers
from cooldown.search.experiments.sureness import LEVELS, OF_LEVEL, Spread, smallest_share, spread_on
from cooldown.search.service import asking
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.service import Service
from cooldown.search.spec.experiment import Experiment
from cooldown.search.spec.looks import DEFAULT_MOST, FIRST
from cooldown.search.tuning.dry_run import Estimate
from cooldown.storage.tokens import Role

STANDARD = "Standard"

Choices = Mapping[str, Mapping[str, Any]]


def sure_part(form: Form, *, compares: bool) -> DeltaGenerator:
    """Ask how sure the answer is to be. Fills the settings of a level; returns the place for what each level takes."""
    st.header("How sure", anchor=False)
    level = str(
        st.segmented_control(
            "How sure", list(LEVELS), default=STANDARD, required=True, label_visibility="collapsed", **kept("sure")
        )
    )
    if compares:
        st.caption(plain(f"{LEVELS[level].about}."))
    for field, value in _choices(compares=compares)[level].items():
        form.put(field, value)
    return st.container()


def show_levels(form: Form, *, compares: bool) -> None:
    """What each level takes, as far as its reader has asked. form: with all of its fields."""
    choices = _choices(compares=compares)
    settings = {name: value for name, value in form.spec.items() if name not in OF_LEVEL}
    asked = json.dumps([settings, choices], sort_keys=True)
    who = acting.who()
    if acting.service() is not None and who is not None and who.may(Role.SUBMIT):
        if st.button("Estimate time and cost", icon=":material/timer:", key="estimate"):
            with st.spinner("Timing a small experiment of the same kind …"):
                st.session_state["estimated"] = asked, *_estimated(settings, choices)
    else:
        st.caption("Time and cost are estimated by a server (`cooldown serve`), or by `cooldown compare … --dry-run`.")
    known, estimates, outcome = st.session_state.get("estimated", ("", {}, None))
    found: Mapping[str, Estimate] = estimates if known == asked else {}
    if known == asked and not outcome.done:
        st.error(plain(f"{outcome.said}."), icon=":material/error:")
    spread = spread_on(settings, data.summaries(), data.winners()) if compares and found else None
    rows = [_row(name, choices[name], found.get(name), spread) for name in choices]
    st.dataframe(
        pd.DataFrame(rows).dropna(axis=1, how="all"),
        hide_index=True,
        key="levels",
        placeholder=MISSING,
        alt="Each level with its trials, its repeats and, once they are estimated, time, cost and what it can find",
    )
    if spread is not None:
        st.caption(plain(_about(spread)))


def _choices(*, compares: bool) -> Choices:
    return {name: level.compared if compares else level.searched for name, level in LEVELS.items()}


def _estimated(settings: Mapping[str, Any], choices: Choices) -> tuple[dict[str, Estimate], acting.Outcome]:
    """What each level takes, for whoever looks at the page, and what came of asking for it."""
    found: dict[str, Estimate] = {}

    def estimate(service: Service, who: Principal) -> str:
        found.update(zip(choices, asking.estimates(service, who, settings, list(choices.values())), strict=True))
        return "estimated"

    outcome = acting.done(estimate)
    return found, outcome


def _row(
    name: str, choice: Mapping[str, Any], estimate: Estimate | None, spread: Spread | None
) -> dict[str, str | None]:
    """A level in words."""
    trials = choice.get("trials", Experiment.model_fields["trials"].default)
    first = estimate.repeats if estimate else choice.get("repeats", FIRST)
    most = estimate.most_repeats if estimate else choice.get("repeats", choice.get("max_repeats", DEFAULT_MOST))
    row = {
        "Level": name,
        "Time": None,
        "Finds": None,
        "Repeats": _range(f"{first}", f"{most}"),
        "Trials": f"{trials}",
        "Gradient evaluations": None,
    }
    if estimate is not None:
        cost = estimate.gradient_evaluations
        row["Time"] = _range(duration(estimate.seconds), duration(estimate.most_seconds))
        row["Gradient evaluations"] = _range(
            formatted(cost, Numbers.COUNT), formatted(cost * estimate.most_repeats / estimate.repeats, Numbers.COUNT)
        )
        if spread is not None:
            row["Finds"] = f"{percent(smallest_share(estimate, spread))} lower loss"
    return row


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _about(spread: Spread) -> str:
    """On what the column of what a level finds rests."""
    told = "Finds: how much lower a loss has to be to be found with 80 % probability, after all repeats. "
    if spread.seen is None:
        return told + (
            f"This assumes that differences vary between repeats as on a typical task (by {percent(spread.value)}); on "
            "the built-in tasks it is 3 to 50 %."
        )
    name, repeats = spread.seen
    return (
        told
        + f"Differences vary between repeats by {percent(spread.value)}, as in {counted(repeats, 'repeat')} of {name}."
    )
