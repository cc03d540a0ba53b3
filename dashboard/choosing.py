"""Choosing a trial, arm → repeat → trial, and taking it away in a format."""

import re
from collections.abc import Sequence
from pathlib import PurePath

import streamlit as st

from cooldown.dashboard.parts import arms_choice
from cooldown.objectives import tasks
from cooldown.objectives.errors import InputError
from cooldown.objectives.tasks import Task
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.view import View
from cooldown.search.export import Chosen, ConfigFormat, Exported, choose, export
from cooldown.search.spec.arms import short
from cooldown.storage import StudyRecord, TrialRecord

LONGEST_FILE = 100
"""Letters of a file's name."""


def trial_choice(view: View, arms: Sequence[str], key: str) -> tuple[StudyRecord, TrialRecord]:
    """Let the reader choose a trial of one of the `arms`, all of which have some. By default it is the trial that an
    export takes: the best arm's, and of an arm its winner in the repeat in which that is furthest ahead of the others,
    as every repeat has a split of its own.
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
            format_func=lambda number: _told(study, numbers[number]),
        )
    return study, numbers[number]


def _best(view: View, arms: Sequence[str]) -> str:
    chosen = _chosen(view, None)
    return chosen.study.arm if chosen and chosen.study.arm in arms else arms[0]


def _chosen(view: View, arm: str | None) -> Chosen | None:
    """What an export takes; None where there is no winner yet, as of trials that were all pruned."""
    try:
        return choose(view, arm)
    except InputError:
        return None


def _told(study: StudyRecord, trial: TrialRecord) -> str:
    won = ", the winner" if trial is study.winner else ""
    return f"{trial.number}{won} · loss {formatted(trial.validation_loss, Form.LOSS)}"


class NotRead(Chosen):
    """A trial whose task is not looked for: a server opens no file, downloads nothing and runs no module that a
    ledger names.
    """

    @property
    def task(self) -> Task:
        """Raises InputError with what to do instead."""
        raise InputError(
            f"This format needs the task {self.record.spec['task']!r} itself, a file, a download or a module. The "
            "dashboard does not open what a ledger names; the command below does, in the folder of the experiment."
        )


def exported(view: View, format: ConfigFormat, study: StudyRecord, trial: TrialRecord) -> Exported:
    """The trial in this format; raises InputError where that cannot express it."""
    if view.spec.task in tasks.names():
        return export(view, format.name, arm=study.arm, repeat=study.repeat, trial=trial.number)
    return format.write(NotRead(view, study, trial))


def file_name(suffix: str, *words: object) -> str:
    """A name for a file that every system takes, made of these words."""
    told = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(short(str(word)) for word in words)).strip("-")
    return PurePath(f"{told[:LONGEST_FILE].rstrip('-') or 'export'}{suffix}").name
