"""What an arm's searches tried: history, loss against each hyperparameter, and every trial."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.parts import about_experiment, chart, plain
from search.edges import edges
from search.figures import learning as learning_figures
from search.figures import trials as figures
from search.learning import trial_curves
from search.results import Result
from search.sensitivity import sensitivities, updates_per_epoch
from search.space import Parameter, space
from search.spec import experiment
from storage import Purpose, StudyRecord, TrialRecord


def _search(found: Result) -> None:
    arms = [arm for arm in found.record.spec["arms"] if any(study.trials for study in found.record.of(arm))]
    if not arms:
        st.info("There are no trials yet.")
        return
    first = found.verdicts[0].a if found.verdicts and found.verdicts[0].a in arms else arms[0]
    arm = st.selectbox("Arm", arms, index=arms.index(first), key="arm of search")
    studies = [study for study in found.record.of(arm) if study.trials]
    st.header("History", anchor=False)
    chart(
        figures.history(studies),
        "history",
        reading="Every trial's validation loss in the order of the search; the steps are the best so far of each "
        "repeat. Open markers are trials that were pruned.",
        table=figures.history_table(studies),
    )
    parameters = _parameters(found, arm)
    _hyperparameters(found, arm, studies, parameters)
    _trials(studies)


def _parameters(found: Result, arm: str) -> list[Parameter]:
    """The numeric hyperparameters that the arm's search varies, and that some trial has."""
    spec = experiment(**found.record.spec)
    parsed = next(each for each in spec.parsed_arms if each.name == arm)
    tried = {key for study in found.record.of(arm) for trial in study.trials for key in trial.parameters}
    searched = space(spec, parsed, updates_per_epoch(found.record.studies) or 1).by_key.values()
    return [each for each in searched if isinstance(each, Parameter) and each.key in tried]


def _hyperparameters(found: Result, arm: str, studies: list[StudyRecord], parameters: list[Parameter]) -> None:
    if not parameters:
        return
    st.header("Hyperparameters", anchor=False)
    named = {parameter.key: parameter for parameter in parameters}
    key = st.selectbox("Hyperparameter", list(named), key=f"hyperparameter of {arm}")
    crowded = {edge.parameter.key: edge.side for edge in edges(found.record) if edge.arm == arm}
    if key in crowded:
        st.warning(f"The best values of {plain(key)} crowd at an edge of its range.", icon=":material/warning:")
    chart(
        figures.slice_(studies, named[key], crowded.get(key)),
        "slice",
        reading="A dot is a trial, a star a study's winner. The dashed lines are the ends of the range.",
        table=figures.slice_table(studies, named[key]),
    )
    # Drawn when asked for: it is slow where a browser has no graphics card.
    if st.toggle("All hyperparameters together"):
        chart(
            figures.parallel(studies, parameters),
            "parallel",
            reading="A line is a trial, coloured by its rank within its study: the best stand out where they agree. "
            "Drag along an axis to keep a part of the lines.",
            table=figures.parallel_table(studies, parameters),
        )
    known = [each for each in sensitivities(found.record) if each.arm == arm and each.importance is not None]
    if known:
        chart(
            figures.importance(known),
            "importance",
            reading="Importance by PED-ANOVA: the share of each hyperparameter in what tells the good trials from all.",
            table=figures.importance_table(known),
        )
    else:
        st.caption("There are too few trials to tell what is important.")


def _trials(studies: list[StudyRecord]) -> None:
    st.header("Trials", anchor=False)
    trials = [(study, trial) for study in studies for trial in study.trials]
    states = st.pills("State", sorted({_state(*each) for each in trials}), selection_mode="multi", key="states")
    shown = [each for each in trials if not states or _state(*each) in states]
    table = pd.DataFrame([_row(*each) for each in shown])
    chosen = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="trials",
        alt="Every trial of this arm with its losses and hyperparameters",
    )
    st.caption("Choose a row to open its trial; a click on a column's name sorts.")
    if chosen["selection"]["rows"] and chosen["selection"]["rows"][0] < len(shown):
        _trial(*shown[chosen["selection"]["rows"][0]])


def _state(study: StudyRecord, trial: TrialRecord) -> str:
    if trial is study.winner:
        return "winner"
    if trial.pruned:
        return "pruned"
    if trial.finalist_loss is not None:
        return "finalist"
    diverged = sum(curve.outcome.value == "diverged" for curve in trial.curves[Purpose.SEARCH])
    return "complete" if not diverged else "diverged"


def _row(study: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    return {
        "repeat": study.repeat,
        "trial": trial.number,
        "state": _state(study, trial),
        "validation loss": trial.validation_loss,
        "finalist loss": trial.finalist_loss,
        **trial.parameters,
    }


def _trial(study: StudyRecord, trial: TrialRecord) -> None:
    st.subheader(f"Repeat {study.repeat}, trial {trial.number}", anchor=False)
    own = trial_curves(trial, Purpose.SEARCH, arm=study.arm, repeat=study.repeat)
    curves = {study.arm: own} if own else {}
    chart(
        learning_figures.learning(curves, losses="validation", x="epochs", log_loss=True, log_x=False, replicates=True),
        "trial",
        reading="Validation loss of each search seed, and below it the learning rate as it was executed.",
        table=learning_figures.learning_table(curves),
    )
    outcomes = [f"seed {curve.seed}: {curve.outcome.message}" for curve in trial.curves[Purpose.SEARCH]]
    st.write("  \n".join(map(plain, outcomes)))
    st.json(trial.config.to_json(), expanded=True)


st.title("Search")
about_experiment(_search)
