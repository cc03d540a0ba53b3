"""What an arm's searches tried: history, loss against each hyperparameter, and every trial."""

from typing import Any

import pandas as pd
import streamlit as st

from cooldown.dashboard.parts import about_experiment, arms_choice, chart, counted, plain, rows
from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.learning import trial_curves
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.tables import numeric_parameters, state, trials, with_trials
from cooldown.search.experiments.result import Result
from cooldown.search.figures import captions
from cooldown.search.figures import learning as learning_figures
from cooldown.search.figures import trials as figures
from cooldown.search.figures.points import guessed
from cooldown.storage import Purpose, StudyRecord, TrialRecord

PAGE = {"title": "Search", "icon": "travel_explore", "section": "This experiment", "place": 40}

MOST_BARS = 15
"""Hyperparameters whose importance is drawn: a joint arm has dozens."""

HEIGHT = 320
"""Pixels of the table of trials: what it opens is to be seen with it."""


def _search(found: Result) -> None:
    arms = [arm for arm in found.record.spec["arms"] if with_trials(found.record, arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    first = found.verdicts[0].a if found.verdicts and found.verdicts[0].a in arms else arms[0]
    arm = arms_choice("Arm", arms, first, "arm of search")
    studies = with_trials(found.record, arm)
    log = st.toggle("Logarithmic loss", value=True, key="log of search")
    st.header("History", anchor=False)
    chart(
        figures.history(studies, log=log),
        "history",
        reading=captions.history(found.record, studies),
        table=lambda: figures.history_table(studies),
    )
    _hyperparameters(found, arm, studies, log)
    _trials(studies)


def _hyperparameters(found: Result, arm: str, studies: list[StudyRecord], log: bool) -> None:
    parameters = numeric_parameters(found.record, arm)
    if not parameters:
        return
    st.header("Hyperparameters", anchor=False)
    named = {parameter.key: parameter for parameter in parameters}
    key = st.selectbox("Hyperparameter", list(named), key=f"hyperparameter of {arm}")
    crowded = {edge.parameter.key: edge.side for edge in edges(found.record) if edge.arm == arm}
    if key in crowded:
        st.warning(f"The best values of {plain(key)} crowd at an edge of its range.", icon=":material/warning:")
    chart(
        figures.slice_(studies, named[key], crowded.get(key), log=log),
        "slice",
        reading=f"{captions.SLICE} A winner is the finalist with the lowest loss over fresh seeds, and need not have "
        "the lowest loss of its search, which is drawn.",
        table=lambda: figures.slice_table(studies, named[key]),
    )
    # Drawn when asked for: it is slow where a browser has no graphics card.
    if st.toggle("All hyperparameters together"):
        chart(
            figures.parallel(studies, parameters),
            "parallel",
            reading=captions.PARALLEL,
            table=lambda: figures.parallel_table(studies, parameters),
        )
    known = [each for each in sensitivities(found.record) if each.arm == arm and each.importance is not None]
    if not known:
        st.caption("There are too few trials to tell what is important.")
        return
    drawn = sorted(known, key=lambda each: -(each.importance or 0.0))[:MOST_BARS]
    left = f" The {MOST_BARS} most important of {len(known)} are drawn." if len(known) > MOST_BARS else ""
    chart(
        figures.importance(drawn),
        "importance",
        reading=f"{captions.IMPORTANCE}{left}",
        table=lambda: figures.importance_table(known),
    )


def _trials(studies: list[StudyRecord]) -> None:
    st.header("Trials", anchor=False)
    found = [(study, trial) for study in studies for trial in study.trials]
    states = [_state(*each) for each in found]
    wanted = st.pills("State", sorted(set(states)), selection_mode="multi", key="states")
    places = [place for place, each in enumerate(states) if not wanted or each in wanted]
    st.caption(f"{counted(len(places), 'trial')}. Choose a row to open its trial; a click on a column's name sorts.")
    table = pd.DataFrame([{**row, "state": states[place]} for place, row in enumerate(trials(studies))])
    chosen = rows(
        # Of those that are shown only what they have: a joint arm's trials have few of its hyperparameters.
        table.iloc[places].dropna(axis="columns", how="all").reset_index(drop=True),
        key="trials",
        alt="Every trial of this arm with its losses and hyperparameters",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"State": st.column_config.TextColumn(width=170)},
        height=HEIGHT if len(places) > HEIGHT // 35 else "auto",
    )
    if chosen["selection"]["rows"] and chosen["selection"]["rows"][0] < len(places):
        _trial(*found[places[chosen["selection"]["rows"][0]]])


def _state(study: StudyRecord, trial: TrialRecord) -> str:
    """What became of it; of a trial that got no further than guessing this rather than that it is complete."""
    told = state(study, trial)
    if told != "winner" and guessed(trial):
        return "no better than guessing"
    return "some seeds diverged" if told == "diverged" else told


def _trial(study: StudyRecord, trial: TrialRecord) -> None:
    st.subheader(f"Repeat {study.repeat}, trial {trial.number}", anchor=False)
    own = trial_curves(trial, Purpose.SEARCH, arm=study.arm, repeat=study.repeat)
    curves: dict[str, Any] = {study.arm: own} if own else {}
    chart(
        learning_figures.learning(curves, losses="validation", x="epochs", log_loss=True, log_x=False, replicates=True),
        "trial",
        reading="Validation loss of each search seed, and below it the learning rate as it was executed.",
        table=lambda: learning_figures.learning_table(curves),
    )
    outcomes = [f"seed {curve.seed}: {curve.outcome.message}" for curve in trial.curves[Purpose.SEARCH]]
    st.write("  \n".join(map(plain, outcomes)))
    st.json(trial.config.to_json(), expanded=True)


st.title("Search")
about_experiment(_search)
