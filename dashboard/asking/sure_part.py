"""How sure the answer of a new experiment is to be, and what each choice takes: time, cost, and what it can find."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cooldown.dashboard import acting, data
from cooldown.dashboard.asking.form import Form, kept
from cooldown.dashboard.parts import errors_shown, plain
from cooldown.search.evidence.numbers import MISSING, counted, duration, formatted, percent
from cooldown.search.evidence.numbers import Form as Numbers
from cooldown.search.experiments.sureness import (
    LEVELS,
    OF_LEVEL,
    TYPICAL,
    Spread,
    smallest_share,
    spread_on,
    timed_effects,
)
from cooldown.search.service import asking
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.service import Service
from cooldown.search.spec.experiment import Experiment, planned_spec
from cooldown.search.spec.looks import DEFAULT_MOST, FIRST
from cooldown.search.tuning.dry_run import Estimate
from cooldown.storage.tokens import Role

STANDARD = "Standard"

POLL = 5.0
"""Seconds between two looks at whether an estimate is there. Each of them ends with Streamlit's collection of garbage,
during which the estimate stands still.
"""

Choices = Mapping[str, Mapping[str, Any]]


class Estimating(NamedTuple):
    """An estimate that was asked for. asked: the settings and levels of it. found: by level, when it is there."""

    asked: str
    begun: acting.Begun
    found: dict[str, Estimate]


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
            st.session_state["estimating"] = _begun(asked, settings, choices)
    else:
        st.caption("Time and cost are estimated by a server (`cooldown serve`), or by `cooldown compare … --dry-run`.")
    estimating: Estimating | None = st.session_state.get("estimating")
    ours = estimating if estimating is not None and estimating.asked == asked else None
    waits = ours is not None and ours.begun.outcome is None

    @st.fragment(run_every=POLL if waits else None)
    def levels() -> None:
        """What each level takes, once that is known: nobody waits for it."""
        if waits and ours is not None and ours.begun.outcome is not None:
            # The rest of the page is drawn once more, and nothing is asked for any longer.
            st.rerun()
        with errors_shown():
            _levels(settings, choices, ours, compares=compares)

    levels()


def _levels(settings: Mapping[str, Any], choices: Choices, asked: Estimating | None, *, compares: bool) -> None:
    """The table of the levels. asked: what they take; None where nobody asked."""
    outcome = None if asked is None else asked.begun.outcome
    found = asked.found if asked is not None and outcome is not None else {}
    if asked is not None and outcome is None:
        st.caption(":material/hourglass_top: Timing a small experiment of the same kind …")
    if outcome is not None and not outcome.done:
        st.error(plain(f"{outcome.said}."), icon=":material/error:")
    spread = _spread(settings, choices, found) if compares and found else None
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


def _begun(asked: str, settings: Mapping[str, Any], choices: Choices) -> Estimating:
    """Ask for what each level takes, for whoever looks at the page."""
    found: dict[str, Estimate] = {}

    def estimate(service: Service, who: Principal) -> str:
        found.update(zip(choices, asking.estimates(service, who, settings, list(choices.values())), strict=True))
        return "estimated"

    return Estimating(asked, acting.begun(estimate), found)


def _spread(settings: Mapping[str, Any], choices: Choices, found: Mapping[str, Estimate]) -> Spread:
    """How much differences vary between repeats: as the dry run shows it, and what is known beside."""
    known = spread_on(settings, data.summaries(), data.winners())
    # They all have the same timed runs.
    level, estimate = next(iter(found.items()))
    return known.weighed(timed_effects(planned_spec(**settings, **choices[level]), estimate))


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
    told = "Finds: the smallest loss reduction that is detected with 80 % probability, after all repeats. "
    known = f"on a typical task ({percent(TYPICAL)}, and 3 to 50 % on the built-in ones)"
    if spread.seen is not None:
        name, repeats = spread.seen
        known = f"in {counted(repeats, 'repeat')} of {name}"
    timed = f"in {counted(spread.timed, 'short repeat')} of this estimate, weighted with those " if spread.timed else ""
    return told + f"Differences vary between repeats by {percent(spread.value)}, as {timed}{known}."
