"""The best config, or any trial's, to take away."""

import json
import re

import streamlit as st

from dashboard.parts import about_experiment
from search.results import Result
from storage import StudyRecord, TrialRecord


def _export(found: Result) -> None:
    arms = [arm for arm in found.record.spec["arms"] if any(study.trials for study in found.record.of(arm))]
    if not arms:
        st.info("There are no trials yet.")
        return
    best = min(arms, key=lambda arm: _loss(found.record.of(arm)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = st.selectbox("Arm", arms, index=arms.index(best), key="arm to export")
        studies = {study.repeat: study for study in found.record.of(arm) if study.trials}
        # The study with the best winner first.
        ranked = sorted(studies, key=lambda repeat: _loss([studies[repeat]]))
        study = studies[st.selectbox("Repeat", ranked, key=f"repeat of {arm}")]
        trials = {_name(study, trial): trial for trial in _winner_first(study)}
        trial = trials[st.selectbox("Trial", list(trials), key=f"trial of {arm} {study.repeat}")]
    text = json.dumps(trial.config.to_json(), indent=2)
    st.code(text, language="json")
    st.download_button(
        "Download JSON",
        text,
        file_name=f"{re.sub(r'[^A-Za-z0-9]+', '-', f'{found.name} {arm} {study.repeat} {trial.number}')}.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(
        "Everything that fixes the training run but its seed. `TrainConfig.from_json` reads it back; training code for "
        "PyTorch and others is still to come."
    )


def _loss(studies: list[StudyRecord]) -> float:
    return min((study.selection_loss for study in studies if study.selection_loss is not None), default=float("inf"))


def _winner_first(study: StudyRecord) -> list[TrialRecord]:
    return sorted(study.trials, key=lambda trial: (trial is not study.winner, trial.number))


def _name(study: StudyRecord, trial: TrialRecord) -> str:
    won = ", the winner" if trial is study.winner else ""
    return f"{trial.number}{won} (validation loss {trial.validation_loss:.4f})"


st.title("Export")
about_experiment(_export)
