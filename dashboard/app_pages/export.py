"""Export: the best config, or any trial's, as a file, as code or as a command that trains it; all trials as tables."""

from functools import partial

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.choosing import trial_choice
from cooldown.dashboard.config_files import config_file, file_name, file_of
from cooldown.dashboard.parts import about_experiment, plain, terminal
from cooldown.search import export as formats
from cooldown.search.evidence.numbers import MISSING
from cooldown.search.experiments.result import Result
from cooldown.search.export import ConfigFormat, ModelFormat, TableFormat
from cooldown.search.spec.arms import short
from cooldown.storage import StudyRecord, TrialRecord

PAGE = {"title": "Export", "icon": "download", "section": "This experiment", "place": 60}

PREVIEW = 10
"""Rows of a table that are shown."""

MOST_TRIALS = 2_000
"""The most trials of an experiment whose whole table is made for the preview; of a larger one, only one study's."""

EVERY = "all arms"


def _export(result: Result) -> None:
    arms = [arm for arm in result.view.arms if result.view.begun(arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    # Formats of a config come first, and among these the one that can be read back.
    kinds = (ConfigFormat, ModelFormat, TableFormat)
    names = sorted(formats.names(), key=lambda name: (kinds.index(type(formats.get(name))), name != "json", name))
    name = addressed.choice(st.selectbox, "Format", names, "format")
    chosen = formats.get(name)
    st.caption(plain(f"{chosen.summary[:1].upper()}{chosen.summary[1:]}."))
    if isinstance(chosen, ConfigFormat):
        _config(result, arms, chosen)
    elif isinstance(chosen, ModelFormat):
        _model(result, arms, chosen)
    else:
        _table(result, arms, chosen)


def _config(result: Result, arms: list[str], chosen: ConfigFormat) -> None:
    study, trial = trial_choice(result.view, arms)
    config_file(result.view, study, trial, chosen)
    file = file_of(result.view, study, trial, chosen)
    st.caption("In a terminal:")
    terminal("export", result.name, *_which(study, trial), "--format", chosen.name, "-o", file)


def _model(result: Result, arms: list[str], chosen: ModelFormat) -> None:
    """A server trains nothing: only the command is shown."""
    study, trial = trial_choice(result.view, arms)
    file = file_of(result.view, study, trial, chosen)
    st.info("The model is trained when it is exported, which needs a terminal:", icon=":material/info:")
    terminal("export", result.name, *_which(study, trial), "--format", chosen.name, "-o", file)


def _which(study: StudyRecord, trial: TrialRecord) -> list[str]:
    """The options that choose a trial."""
    return ["--arm", study.arm, "--repeat", str(study.repeat), "--trial", str(trial.number)]


def _table(result: Result, arms: list[str], chosen: TableFormat) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = addressed.choice(st.selectbox, "Arm", [EVERY, *arms], "arm", format_func=short)
        curves = addressed.flag("Curves: one row per epoch of each run", "curves")
    which = [] if arm == EVERY else [arm]
    file = file_name(chosen.suffix, result.name, *which, "curves" if curves else "trials")
    st.download_button(
        f"Download {chosen.name}",
        # Made on demand: the curves of many trials take a while.
        partial(_written, result, chosen.name, *which, curves=curves),
        file_name=file,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
    _preview(result, arms if arm == EVERY else [arm], curves)
    st.caption("In a terminal:")
    options = [*(["--arm", arm] if which else []), *(["--curves"] if curves else [])]
    terminal("export", result.name, *options, "--format", chosen.name, "-o", file)


def _written(result: Result, name: str, arm: str | None = None, *, curves: bool) -> bytes:
    content = formats.export(result.view, name, arm=arm, curves=curves).content
    return content.encode() if isinstance(content, str) else content


def _preview(result: Result, arms: list[str], curves: bool) -> None:
    """The first rows of the table."""
    from cooldown.search.evidence.trials import curves_frame, trials_frame

    first = result.view.begun(arms[0])[0]
    trials = sum(len(study.trials) for study in result.record.studies)
    if curves:
        table = curves_frame(result.record, first.arm, first.repeat, first.trials[0].number)
    elif trials <= MOST_TRIALS:
        table = trials_frame(result.record, arms[0] if len(arms) == 1 else None)
    else:
        table = trials_frame(result.record, first.arm, first.repeat)
    alt = "The first rows of the table"
    st.dataframe(table.head(PREVIEW), hide_index=True, placeholder=MISSING, key="preview", alt=alt)
    st.caption(f"First {min(len(table), PREVIEW)} rows. Numbers are rounded here; the file has all digits.")


st.title("Export")
about_experiment(_export)
