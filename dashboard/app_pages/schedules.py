"""A playground: the learning rate against the update, for any schedules and their hyperparameters, and for trials."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import data
from dashboard.parts import chart, complain
from objectives import schedules
from objectives.config import TrainConfig
from objectives.cost import rows_per_epoch
from objectives.hyperparameters import Hyperparameter, Unit
from search.figures import schedules as figures
from search.learning import planned_rates
from search.results import Result
from storage import Purpose, TrialRecord

BATCH_SIZE = 32
START = ["cosine", "sgdr"]


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


def _trials(found: Result) -> dict[str, TrialRecord]:
    """The trials of an experiment by what they are called here, winners first."""
    named = [
        (study.winner is not trial, f"{study.arm} · repeat {study.repeat} · trial {trial.number}", trial)
        for study in found.record.studies
        for trial in study.trials
    ]
    return {
        f"{name}{'' if other else ' (winner)'}": trial for other, name, trial in sorted(named, key=lambda each: each[0])
    }


def _playground() -> None:
    names = st.multiselect("Schedules", schedules.names(), default=START, key="schedules")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.number_input("Learning rate", value=0.1, min_value=1e-9, format="%g")
        epochs = int(st.number_input("Epochs", value=30, min_value=1, max_value=10_000))
        per_epoch = int(st.number_input("Updates per epoch", value=34, min_value=1, max_value=10_000))
        log = st.toggle("Logarithmic rate")
    lines: dict[str, NDArray[np.float64]] = {}
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
            lines[name] = planned_rates(config, per_epoch * BATCH_SIZE)
    chosen = st.session_state.get("experiment")
    summary = data.summary(chosen) if chosen else None
    if summary is not None:
        trials = _trials(data.result(summary))
        for name in st.multiselect("Trials of the chosen experiment", list(trials), key="scheduled trials"):
            lines[name] = _of_trial(trials[name])
    if not lines:
        st.info("Choose a schedule, or a trial.")
        return
    chart(
        figures.rates(lines, log=log),
        "rates",
        reading="The learning rate of each update as the schedule plans it: the multiplier times the rate, behind its "
        "warm-up. What a schedule that reacts to the loss does in a run is not foreseen.",
        table=figures.rates_table(lines),
    )


st.title("Schedules")
with complain():
    _playground()
