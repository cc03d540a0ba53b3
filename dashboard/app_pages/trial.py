"""One trial at an address of its own: config, curves, executed schedule and export, beside another one if wanted."""

from typing import Any

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.choosing import Which, trial_choice, trials_named
from cooldown.dashboard.config_files import config_file
from cooldown.dashboard.parts import about_experiment, chart, evidence, plain
from cooldown.search.evidence.configs import configs_table
from cooldown.search.evidence.learning import ArmCurves, trial_curves
from cooldown.search.evidence.numbers import Form, counted, formatted
from cooldown.search.evidence.trials import outcome
from cooldown.search.evidence.view import View
from cooldown.search.experiments.result import Result
from cooldown.search.export import ConfigFormat, get, of_kind
from cooldown.search.figures import learning
from cooldown.search.figures import trial_curves as side_by_side
from cooldown.search.spec.arms import short
from cooldown.storage import Purpose, StudyRecord, TrialRecord

PAGE = {"title": "Trial", "icon": "science", "section": "This experiment", "place": 42}

STEPS = ("Previous trial", "k", -1), ("Next trial", "j", 1)
"""The buttons, their keys, and how far they go."""


def _trial(result: Result) -> None:
    view = result.view
    arms = [arm for arm in view.arms if view.begun(arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    study, trial = trial_choice(view, arms)
    _steps(study, trial)
    here = Which(study.arm, study.repeat, trial.number)
    st.header(plain(_name(here)), anchor=False)
    st.write(plain(_facts(study, trial)))
    other = _other(view, here)
    chosen = {_name(each): found for each, found in ((here, trial), *([other] if other else []))}
    evidence(configs_table({name: each.config for name, each in chosen.items()}), "config")
    _curves(here, trial, other)
    st.header("Export", anchor=False)
    kinds = sorted(of_kind(ConfigFormat), key=lambda name: (name != "json", name))
    chosen_format = get(addressed.choice(st.selectbox, "Format", kinds, "format"))
    if isinstance(chosen_format, ConfigFormat):
        config_file(view, study, trial, chosen_format)


def _steps(study: StudyRecord, trial: TrialRecord) -> None:
    """Buttons to the trials before and after this one, in the order of the search."""
    numbers = [each.number for each in study.trials]
    place = numbers.index(trial.number)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, key, by in STEPS:
            to = place + by
            there = 0 <= to < len(numbers)
            st.button(
                label,
                shortcut=key,
                disabled=not there,
                on_click=addressed.write,
                args=("trial", [str(numbers[to])] if there else []),
            )
        st.caption(f"{place + 1} of {counted(len(numbers), 'trial')} of this repeat")


def _name(which: Which) -> str:
    return f"{short(which.arm)}, repeat {which.repeat}, trial {which.number}"


def _facts(study: StudyRecord, trial: TrialRecord) -> str:
    """How the trial did, in a line."""
    complete = [each.number for each in study.best(len(study.trials))]
    facts = [outcome(study, trial), f"validation loss {formatted(trial.validation_loss, Form.LOSS)}"]
    if trial.number in complete:
        facts.append(f"rank {complete.index(trial.number) + 1} of {len(complete)} in its repeat")
    if trial.finalist_loss is not None:
        facts.append(f"loss with further seeds {formatted(trial.finalist_loss, Form.LOSS)}")
    return " · ".join(facts)


def _other(view: View, here: Which) -> tuple[Which, TrialRecord] | None:
    """The trial that the reader compares this one with: a winner, or any trial of the same study."""
    winners = [(study, study.winner) for arm in view.arms for study in view.begun(arm) if study.winner]
    beside = [(study, trial) for study in view.begun(here.arm) if study.repeat == here.repeat for trial in study.trials]
    found = {Which(study.arm, study.repeat, trial.number): trial for study, trial in (*winners, *beside)}
    # Any other that the address names, as in a link from somewhere else.
    none: dict[Which, TrialRecord] = {}
    found |= addressed.read("against", lambda said: trials_named(view, said, 1), none)
    found.pop(here, None)
    chosen = addressed.perhaps(
        st.selectbox,
        "Compare with",
        list(found),
        "against",
        index=None,
        format_func=lambda which: f"{_name(which)} · loss {formatted(found[which].validation_loss, Form.LOSS)}",
        placeholder="Another trial: a winner, or one of the same repeat",
    )
    return None if chosen is None else (chosen, found[chosen])


def _curves(here: Which, trial: TrialRecord, other: tuple[Which, TrialRecord] | None) -> None:
    st.header("Curves", anchor=False)
    curves: dict[str, ArmCurves] = {}
    for which, each in ((here, trial), *([other] if other else [])):
        found = trial_curves(each, Purpose.SEARCH, arm=which.arm, repeat=which.repeat)
        if found is not None:
            curves[which.arm if other is None else _name(which)] = found
    log = addressed.flag("Log loss axis", "log", True)
    if other is None:
        options: dict[str, Any] = {"losses": "validation", "x": "epochs", "log_loss": log, "log_x": False}
        chart(
            learning.learning(curves, replicates=True, **options),
            "curves",
            reading="Top: validation loss of each search seed. Bottom: the executed learning rate.",
            table=lambda: learning.learning_table(curves),
        )
    else:
        chart(
            side_by_side.trial_curves(curves, log_loss=log),
            "curves",
            reading=side_by_side.CAPTION,
            table=lambda: side_by_side.trial_curves_table(curves),
        )
    seeds = [f"seed {curve.seed}: {curve.outcome.message}" for curve in trial.curves[Purpose.SEARCH]]
    st.caption("  \n".join(map(plain, seeds)))


st.title("Trial")
about_experiment(_trial)
