"""Choosing a trial: which one an address means, and widgets for its arm, repeat and number."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.parts import arm_choice
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.numbers import Form, formatted
from cooldown.search.evidence.view import View
from cooldown.search.export import Chosen, choose
from cooldown.storage import StudyRecord, TrialRecord


@dataclass(frozen=True)
class Which:
    """Which trial of an experiment is meant; as a text, `ARM/REPEAT/NUMBER`."""

    arm: str
    repeat: int
    number: int

    def __str__(self) -> str:
        return f"{self.arm}/{self.repeat}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "Which":
        """The trial of such a text; raises ValueError for any other."""
        # An arm's name may have slashes.
        arm, repeat, number = text.rsplit("/", 2)
        return cls(arm, int(repeat), int(number))


def trials_named(view: View, texts: Sequence[str], most: int) -> dict[Which, TrialRecord]:
    """The trials of these texts; raises ValueError for one that there is not, and for more than `most`."""
    found = {}
    for which in map(Which.parse, filter(None, texts)):
        found[which] = found_trial(view, which)[1]
    if len(found) > most:
        raise ValueError
    return found


def found_trial(view: View, which: Which) -> tuple[StudyRecord, TrialRecord]:
    """A trial with its study; raises ValueError where there is no such trial."""
    if which.arm in view.arms:
        for study in view.begun(which.arm):
            for trial in study.trials:
                if (study.repeat, trial.number) == (which.repeat, which.number):
                    return study, trial
    raise ValueError(f"no trial {which}")


def trial_choice(view: View, arms: Sequence[str]) -> tuple[StudyRecord, TrialRecord]:
    """Let the reader choose a trial of one of the `arms`, each of which has at least one. The default is the trial that
    `cooldown export` takes: of the best arm, and within an arm the winner of the repeat in which the arm is furthest
    ahead of the others, since every repeat has its own split.
    """
    arm = arm_choice(arms, _best(view, arms), "repeat", "trial")
    studies = {study.repeat: study for study in view.begun(arm)}
    chosen = best_choice(view, arm)
    first = chosen.study.repeat if chosen else next(iter(studies))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        repeat = addressed.choice(st.selectbox, "Repeat", list(studies), "repeat", first, resets=("trial",), width=110)
        study = studies[repeat]
        numbers = {trial.number: trial for trial in study.trials}
        won = study.winner.number if study.winner else next(iter(numbers))
        number = addressed.choice(
            st.selectbox,
            "Trial",
            list(numbers),
            "trial",
            won,
            format_func=lambda number: _trial_label(study, numbers[number]),
        )
    return study, numbers[number]


def _best(view: View, arms: Sequence[str]) -> str:
    chosen = best_choice(view)
    return chosen.study.arm if chosen and chosen.study.arm in arms else arms[0]


def best_choice(view: View, arm: str | None = None) -> Chosen | None:
    """The trial that an export takes; None where there is no winner yet, as when all trials were pruned."""
    try:
        return choose(view, arm)
    except InputError:
        return None


def _trial_label(study: StudyRecord, trial: TrialRecord) -> str:
    winner = " (winner)" if trial is study.winner else ""
    return f"{trial.number}{winner} · loss {formatted(trial.validation_loss, Form.LOSS)}"
