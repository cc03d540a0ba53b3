"""The searches of one arm: history, loss against each hyperparameter, and every trial."""

from typing import Any

import streamlit as st

from cooldown.dashboard.parts import about_experiment, arms_choice, chart, plain, rows
from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.learning import trial_curves
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.search_tables import trials_table
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.trials import guessed, numeric_parameters, state
from cooldown.search.experiments.result import Result
from cooldown.search.figures import importance
from cooldown.search.figures import learning as learning_figures
from cooldown.search.figures import trials as figures
from cooldown.storage import Purpose, StudyRecord, TrialRecord

PAGE = {"title": "Search", "icon": "travel_explore", "section": "This experiment", "place": 40}

MOST_BARS = 15
"""The most hyperparameters whose importance is drawn: a joint arm has dozens."""

HEIGHT = 320
"""Pixels of the table of trials, so that the selected trial is visible below it."""


def _search(result: Result) -> None:
    view = result.view
    arms = [arm for arm in view.arms if view.begun(arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    first = result.verdicts[0].a if result.verdicts and result.verdicts[0].a in arms else arms[0]
    arm = arms_choice("Arm", arms, first, "arm of search")
    studies = view.begun(arm)
    log = st.toggle("Log loss axis", value=True, key="log of search")
    st.header("History", anchor=False)
    chart(
        figures.history(studies, log=log),
        "history",
        reading=figures.history_caption(view, studies),
        table=lambda: figures.history_table(studies),
    )
    _hyperparameters(result, arm, studies, log)
    _trials(studies)


def _hyperparameters(result: Result, arm: str, studies: list[StudyRecord], log: bool) -> None:
    parameters = numeric_parameters(result.view, arm)
    if not parameters:
        return
    st.header("Hyperparameters", anchor=False)
    named = {parameter.key: parameter for parameter in parameters}
    key = st.selectbox("Hyperparameter", list(named), key=f"hyperparameter of {arm}")
    at_edges = {edge.parameter.key: edge.side for edge in edges(result.view) if edge.arm == arm}
    if key in at_edges:
        side = "bottom" if at_edges[key] == "low" else "top"
        st.warning(f"The best values of {plain(key)} are at the {side} of its range.", icon=":material/warning:")
    chart(
        figures.slice_(studies, named[key], at_edges.get(key), log=log),
        "slice",
        reading=f"{figures.SLICE_CAPTION} A winner is the finalist with the lowest loss over further seeds; its search "
        "loss, which is drawn, need not be the lowest.",
        table=lambda: figures.slice_table(studies, named[key]),
    )
    # Drawn on demand: it is slow in a browser without a graphics card.
    if st.toggle("All hyperparameters together"):
        chart(
            figures.parallel(studies, parameters),
            "parallel",
            reading=figures.PARALLEL_CAPTION,
            table=lambda: figures.parallel_table(studies, parameters),
        )
    known = [
        sensitivity
        for sensitivity in sensitivities(result.view)
        if sensitivity.arm == arm and sensitivity.importance is not None
    ]
    if not known:
        st.caption("Too few trials to estimate importance.")
        return
    drawn = sorted(known, key=lambda sensitivity: -(sensitivity.importance or 0.0))[:MOST_BARS]
    left = f" Shown: the {MOST_BARS} most important of {len(known)}." if len(known) > MOST_BARS else ""
    chart(
        importance.importance(drawn),
        "importance",
        reading=f"{importance.CAPTION}{left}",
        table=lambda: importance.importance_table(known),
    )


def _trials(studies: list[StudyRecord]) -> None:
    st.header("Trials", anchor=False)
    listed = [(study, trial) for study in studies for trial in study.trials]
    states = [_state(study, trial) for study, trial in listed]
    wanted = st.pills("State", sorted(set(states)), selection_mode="multi", key="states")
    places = [place for place, state in enumerate(states) if not wanted or state in wanted]
    st.caption(f"{counted(len(places), 'trial')}. Select a row to see its trial; click a column header to sort.")
    chosen = rows(
        # Without empty columns: a joint arm's trials have few of its hyperparameters.
        trials_table(studies, states).take(places).without_empty_columns(),
        key="trials",
        alt="Every trial of this arm with its losses and hyperparameters",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"State": st.column_config.TextColumn(width=170)},
        height=HEIGHT if len(places) > HEIGHT // 35 else "auto",
    )
    if chosen["selection"]["rows"] and chosen["selection"]["rows"][0] < len(places):
        _trial(*listed[places[chosen["selection"]["rows"][0]]])


def _state(study: StudyRecord, trial: TrialRecord) -> str:
    """The outcome of a trial; "no better than guessing" where that applies, rather than "complete"."""
    outcome = state(study, trial)
    if outcome != "winner" and guessed(trial):
        return "no better than guessing"
    return "some seeds diverged" if outcome == "diverged" else outcome


def _trial(study: StudyRecord, trial: TrialRecord) -> None:
    st.subheader(f"Repeat {study.repeat}, trial {trial.number}", anchor=False)
    of_trial = trial_curves(trial, Purpose.SEARCH, arm=study.arm, repeat=study.repeat)
    curves: dict[str, Any] = {study.arm: of_trial} if of_trial else {}
    chart(
        learning_figures.learning(curves, losses="validation", x="epochs", log_loss=True, log_x=False, replicates=True),
        "trial",
        reading="Top: validation loss of each search seed. Bottom: the executed learning rate.",
        table=lambda: learning_figures.learning_table(curves),
    )
    outcomes = [f"seed {curve.seed}: {curve.outcome.message}" for curve in trial.curves[Purpose.SEARCH]]
    st.write("  \n".join(map(plain, outcomes)))
    st.json(trial.config.to_json(), expanded=True)


st.title("Search")
about_experiment(_search)
