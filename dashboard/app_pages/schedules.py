"""A playground: learning rate by update, for any schedules with chosen hyperparameters, and for trials."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cooldown.dashboard import data
from cooldown.dashboard.choosing import trial_choice
from cooldown.dashboard.parts import chart, errors_shown, plain
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
"""More lines in one chart cannot be told apart."""

Trial = tuple[str, int, int]
"""Arm, repeat and number."""


def _hyperparameters(name: str) -> dict[str, Any]:
    """A schedule's hyperparameters as the reader sets them."""
    values: dict[str, Any] = {}
    for declared in schedules.get(name).hyperparameters:
        key = f"{name}.{declared.name}"
        if not isinstance(declared, Hyperparameter):
            values[declared.name] = st.selectbox(declared.name, declared.choices, key=key)
            continue
        unit = f" ({declared.unit.value})" if declared.unit is not Unit.NONE else ""
        kind = int if declared.integer else float
        values[declared.name] = st.number_input(
            f"{declared.name}{unit}",
            value=kind(declared.default or 0),
            min_value=kind(declared.minimum),
            help=declared.meaning,
            key=key,
        )
    return values


def _of_trial(trial: TrialRecord) -> NDArray[np.float64]:
    """The learning rates that were planned for a trial's search runs."""
    return planned_rates(trial.config, rows_per_epoch(trial.curves[Purpose.SEARCH][0], trial.config))


def _trial_label(trial: Trial) -> str:
    arm, repeat, number = trial
    return f"{short(arm)} · repeat {repeat} · trial {number}"


def _chosen_trials(result: Result) -> dict[Trial, TrialRecord]:
    """The trials of an experiment that the reader has added, as far as they still exist."""
    arms = [arm for arm in result.view.arms if result.view.begun(arm)]
    if not arms:
        return {}
    kept = f"scheduled trials of {result.name}"
    with st.expander(plain(f"Trials of {result.name}"), expanded=bool(st.session_state.get(kept))):
        study, trial = trial_choice(result.view, arms, "to schedule")
        here: Trial = (study.arm, study.repeat, trial.number)
        before: list[Trial] = st.session_state.get(kept, [])
        if st.button("Add", icon=":material/add:", disabled=here in before or len(before) >= MOST_TRIALS):
            # The choice can only be changed before its widget exists.
            st.session_state[kept] = before = [*before, here]
        chosen = st.multiselect(
            f"Trials in the chart (at most {MOST_TRIALS})",
            before,
            format_func=_trial_label,
            max_selections=MOST_TRIALS,
            key=kept,
            placeholder="Choose a trial above and add it",
        )
    studies = {(study.arm, study.repeat): study for study in result.record.studies}
    return {
        (arm, repeat, number): trial
        for arm, repeat, number in chosen
        if (arm, repeat) in studies
        for trial in studies[arm, repeat].trials
        if trial.number == number
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
        with columns[i % len(columns)], st.expander(name, expanded=True), errors_shown():
            config = TrainConfig.from_json(
                {
                    "optimizer": {"name": "sgd", "learning_rate": rate},
                    "schedule": {"name": name, **_hyperparameters(name)},
                    "batch_size": BATCH_SIZE,
                    "epochs": epochs,
                }
            )
            rates[name] = planned_rates(config, per_epoch * BATCH_SIZE)
            lines[name] = line_of_schedule(name)
    chosen = st.session_state.get("experiment")
    # An experiment that cannot be read leaves the playground.
    with errors_shown():
        summary = data.summary(chosen) if chosen else None
        trials = {} if summary is None else _chosen_trials(data.result(summary))
        for (arm, repeat, number), trial in trials.items():
            name = _trial_label((arm, repeat, number))
            rates[name] = _of_trial(trial)
            lines[name] = line_of_arm(arm)
    if not rates:
        st.info("Choose a schedule or a trial.")
        return
    chart(
        figures.rates(rates, log=log, lines=lines),
        "rates",
        reading="The planned learning rate of each update: the schedule's multiplier times the base learning rate, "
        "with warm-up. What a schedule that depends on the validation loss does during a run cannot be planned. Grey "
        "lines are schedules alone; a trial has its arm's colour. The dash shows the schedule.",
        table=lambda: figures.rates_table(rates),
    )


st.title("Schedules")
with errors_shown():
    _playground()
