"""A playground: learning rate by update, for any schedules with chosen hyperparameters, and for trials."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cooldown.dashboard import addressed, data
from cooldown.dashboard.choosing import Which, trial_choice, trials_named
from cooldown.dashboard.parts import chart, errors_shown, notes, plain
from cooldown.dashboard.settings import settings
from cooldown.objectives import schedules
from cooldown.objectives.config import TrainConfig
from cooldown.objectives.cost import rows_per_epoch
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

MOST_EPOCHS, MOST_UPDATES = 1_000, 1_000
"""A line has a point for each update."""


def _of_trial(trial: TrialRecord) -> NDArray[np.float64]:
    """The learning rates that were planned for a trial's search runs."""
    return planned_rates(trial.config, rows_per_epoch(trial.curves[Purpose.SEARCH][0], trial.config))


def _trial_label(trial: Which) -> str:
    return f"{short(trial.arm)} · repeat {trial.repeat} · trial {trial.number}"


def _chosen_trials(result: Result) -> dict[Which, TrialRecord]:
    """The trials of an experiment that the reader has added."""
    view = result.view
    arms = [arm for arm in view.arms if view.begun(arm)]
    if not arms:
        return {}
    none: dict[Which, TrialRecord] = {}
    before = addressed.read("trials", lambda said: trials_named(view, said, MOST_TRIALS), none)
    with st.expander(plain(f"Trials of {result.name}"), expanded=bool(before)):
        study, trial = trial_choice(view, arms)
        here = Which(study.arm, study.repeat, trial.number)

        def add() -> None:
            addressed.write("trials", [str(each) for each in (*before, here)])

        full = here in before or len(before) >= MOST_TRIALS
        st.button("Add", icon=":material/add:", disabled=full, on_click=add)
        chosen = addressed.choices(
            st.multiselect,
            f"Trials in the chart (at most {MOST_TRIALS})",
            list(before),
            "trials",
            format_func=_trial_label,
            placeholder="Choose a trial above and add it",
        )
    return {each: before[each] for each in chosen}


def _playground() -> None:
    names = addressed.choices(st.multiselect, "Schedules", schedules.names(), "schedules", START)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = addressed.number("Learning rate", "rate", 0.1, 1e-9, format="%g")
        epochs = addressed.number("Epochs", "epochs", 30, 1, MOST_EPOCHS, integer=True)
        per_epoch = addressed.number("Updates per epoch", "updates", 34, 1, MOST_UPDATES, integer=True)
        log = addressed.flag("Log rate axis", "log")
    rates: dict[str, NDArray[np.float64]] = {}
    lines: dict[str, dict[str, str]] = {}
    columns = st.columns(min(max(len(names), 1), 4))
    for i, name in enumerate(names):
        with columns[i % len(columns)], st.expander(name, expanded=True), errors_shown():
            declared = schedules.get(name).hyperparameters
            config = TrainConfig.from_json(
                {
                    "optimizer": {"name": "sgd", "learning_rate": rate},
                    "schedule": {"name": name, **settings(name, declared)},
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
        for which, trial in trials.items():
            name = _trial_label(which)
            rates[name] = _of_trial(trial)
            lines[name] = line_of_arm(which.arm)
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
with errors_shown(), notes():
    _playground()
