"""Choosing a trial (arm, repeat, number) and exporting it in a format."""

import re
from collections.abc import Sequence
from pathlib import PurePath

import streamlit as st

from cooldown.dashboard.parts import arms_choice
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.view import View
from cooldown.search.export import Chosen, ConfigFormat, Exported, choose, export
from cooldown.search.spec.arms import short
from cooldown.storage import StudyRecord, TrialRecord

LONGEST_FILE = 100
"""Characters of a file name."""


def trial_choice(view: View, arms: Sequence[str], key: str) -> tuple[StudyRecord, TrialRecord]:
    """Let the reader choose a trial of one of the `arms`, each of which has at least one. The default is the trial that
    `cooldown export` takes: of the best arm, and within an arm the winner of the repeat in which the arm is furthest
    ahead of the others, since every repeat has its own split.
    """
    arm = arms_choice("Arm", arms, _best(view, arms), f"arm {key}")
    studies = {study.repeat: study for study in view.begun(arm)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _chosen(view, arm)
        first = list(studies).index(chosen.study.repeat) if chosen else 0
        study = studies[st.selectbox("Repeat", list(studies), index=first, key=f"repeat {key} {arm}")]
        numbers = {trial.number: trial for trial in study.trials}
        won = list(numbers).index(study.winner.number) if study.winner else 0
        number = st.selectbox(
            "Trial",
            list(numbers),
            index=won,
            key=f"trial {key} {arm} {study.repeat}",
            format_func=lambda number: _trial_label(study, numbers[number]),
        )
    return study, numbers[number]


def _best(view: View, arms: Sequence[str]) -> str:
    chosen = _chosen(view, None)
    return chosen.study.arm if chosen and chosen.study.arm in arms else arms[0]


def _chosen(view: View, arm: str | None) -> Chosen | None:
    """The trial that an export takes; None where there is no winner yet, as when all trials were pruned."""
    try:
        return choose(view, arm)
    except InputError:
        return None


def _trial_label(study: StudyRecord, trial: TrialRecord) -> str:
    winner = " (winner)" if trial is study.winner else ""
    return f"{trial.number}{winner} · loss {formatted(trial.validation_loss, Form.LOSS)}"


def exported(view: View, format: ConfigFormat, study: StudyRecord, trial: TrialRecord) -> Exported:
    """The trial in this format; raises InputError where that cannot express it."""
    return export(view, format.name, arm=study.arm, repeat=study.repeat, trial=trial.number, opens=False)


def file_name(suffix: str, *words: object) -> str:
    """A file name made of these words that is valid on every system."""
    joined = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(short(str(word)) for word in words)).strip("-")
    return PurePath(f"{joined[:LONGEST_FILE].rstrip('-') or 'export'}{suffix}").name
