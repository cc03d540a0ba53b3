"""A playground: the learning rate against the update, for any schedules and their hyperparameters, and for trials."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cooldown.dashboard import data
from cooldown.dashboard.choosing import trial_choice
from cooldown.dashboard.parts import chart, complain, plain
from cooldown.objectives import schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import rows_per_epoch
from cooldown.objectives.hyperparameters import Hyperparameter, Unit
from cooldown.search.evidence.learning import planned_rates
from cooldown.search.experiments.result import Result
from cooldown.search.figures import schedules as figures
from cooldown.search.figures.lines import line_of_arm, line_of_schedule
from cooldown.search.spec.arms import short
from cooldown.storage import Purpose, TrialRecord

PAGE = {"title": "Schedules", "icon": "timeline", "section": "Playgrounds", "place": 70}

BATCH_SIZE = 32
START = ["cosine", "sgdr"]
MOST_TRIALS = 8
"""More on top of each other cannot be told apart."""

Trial = tuple[str, int, int]
"""Arm, repeat and number."""


def _given(name: str) -> dict[str, Any]:
    """A schedule's hyperparameters as the reader sets them."""
    given: dict[str, Any] = {}
    for declared in schedules.get(name).hyperparameters:
        key = f"{name}.{declared.name}"
        if not isinstance(declared, Hyperparameter):
            given[declared.name] = st.selectbox(declared.name, declared.choices, key=key)
            continue
        unit = f", in {declared.unit.value}" if declared.unit is not Unit.NONE else ""
        kind = int if declared.integer else float
        given[declared.name] = st.number_input(
            f"{declared.name}{unit}",
            value=kind(declared.default or 0),
            min_value=kind(declared.minimum),
            help=declared.meaning,
            key=key,
        )
    return given


def _of_trial(trial: TrialRecord) -> NDArray[np.float64]:
    """The rates that a trial's search planned."""
    return planned_rates(trial.config, rows_per_epoch(trial.curves[Purpose.SEARCH][0], trial.config))


def _told(trial: Trial) -> str:
    arm, repeat, number = trial
    return f"{short(arm)} · repeat {repeat} · trial {number}"


def _chosen_trials(found: Result) -> dict[Trial, TrialRecord]:
    """The trials of an experiment that the reader has added, of those that there still are."""
    arms = [arm for arm in found.view.arms if found.view.begun(arm)]
    if not arms:
        return {}
    kept = f"scheduled trials of {found.name}"
    with st.expander(plain(f"Trials of {found.name}"), expanded=bool(st.session_state.get(kept))):
        study, trial = trial_choice(found.view, arms, "to schedule")
        here: Trial = (study.arm, study.repeat, trial.number)
        before: list[Trial] = st.session_state.get(kept, [])
        if st.button("Add", icon=":material/add:", disabled=here in before or len(before) >= MOST_TRIALS):
            # The choice can only be changed where its widget has not been made yet.
            st.session_state[kept] = before = [*before, here]
        chosen = st.multiselect(
            f"Trials on top of each other, {MOST_TRIALS} at most",
            before,
            format_func=_told,
            max_selections=MOST_TRIALS,
            key=kept,
            placeholder="Add one above",
        )
    studies = {(study.arm, study.repeat): study for study in found.record.studies}
    return {
        (arm, repeat, number): own
        for arm, repeat, number in chosen
        if (arm, repeat) in studies
        for own in studies[arm, repeat].trials
        if own.number == number
    }


def _playground() -> None:
    names = st.multiselect("Schedules", schedules.names(), default=START, key="schedules")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.number_input("Learning rate", value=0.1, min_value=1e-9, format="%g")
        epochs = int(st.number_input("Epochs", value=30, min_value=1, max_value=10_000))
        per_epoch = int(st.number_input("Updates per epoch", value=34, min_value=1, max_value=10_000))
        log = st.toggle("Log rate axis")
    rates: dict[str, NDArray[np.float64]] = {}
    lines: dict[str, dict[str, str]] = {}
    columns = st.columns(min(max(len(names), 1), 4))
    for i, name in enumerate(names):
        with columns[i % len(columns)], st.expander(name, expanded=True), complain():
            config = TrainConfig.from_json(
                {
                    "optimizer": {"name": "sgd", "learning_rate": rate},
                    "schedule": {"name": name, **_given(name)},
                    "batch_size": BATCH_SIZE,
                    "epochs": epochs,
                }
            )
            rates[name] = planned_rates(config, per_epoch * BATCH_SIZE)
            lines[name] = line_of_schedule(name)
    chosen = st.session_state.get("experiment")
    summary = data.summary(chosen) if chosen else None
    if summary is not None:
        for (arm, repeat, number), trial in _chosen_trials(data.result(summary)).items():
            name = _told((arm, repeat, number))
            rates[name] = _of_trial(trial)
            lines[name] = line_of_arm(arm)
    if not rates:
        st.info("Choose a schedule, or a trial.")
        return
    chart(
        figures.rates(rates, log=log, lines=lines),
        "rates",
        reading="The learning rate of each update as the schedule plans it: the multiplier times the rate, behind its "
        "warm-up. What a schedule that reacts to the loss does in a run is not foreseen. Grey lines are schedules by "
        "themselves; a trial has its arm's colour. Dashes belong to schedules.",
        table=lambda: figures.rates_table(rates),
    )


st.title("Schedules")
with complain():
    _playground()
