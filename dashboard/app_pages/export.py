"""The best config, or any trial's, as a file or as code to take away; and all trials as tables."""

from functools import partial

import streamlit as st

from cooldown.dashboard.choosing import exported, file_name, trial_choice
from cooldown.dashboard.parts import about_experiment, plain, terminal
from cooldown.objectives.errors import InputError
from cooldown.search import export as formats
from cooldown.search.evidence.numbers import MISSING
from cooldown.search.experiments.result import Result
from cooldown.search.export import ConfigFormat, TableFormat
from cooldown.search.spec.arms import short

PAGE = {"title": "Export", "icon": "download", "section": "This experiment", "place": 60}

PREVIEW = 10
"""Rows of a table that are shown."""

MOST_TRIALS = 2_000
"""Up to so many trials of an experiment its table is made to be looked at; of a larger one only a study's."""

EVERY = "all arms"


def _export(found: Result) -> None:
    arms = [arm for arm in found.view.arms if found.view.begun(arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    # What holds a configuration first, and there what reads it back.
    names = sorted(formats.names(), key=lambda name: (isinstance(formats.get(name), TableFormat), name != "json", name))
    name = st.selectbox("Format", names, key="format")
    chosen = formats.get(name)
    st.caption(plain(f"{chosen.summary[:1].upper()}{chosen.summary[1:]}."))
    if isinstance(chosen, ConfigFormat):
        _config(found, arms, chosen)
    else:
        _table(found, arms, chosen)


def _config(found: Result, arms: list[str], chosen: ConfigFormat) -> None:
    study, trial = trial_choice(found.view, arms, "to export")
    file = file_name(chosen.suffix, found.name, study.arm, study.repeat, trial.number)
    try:
        made = exported(found.view, chosen, study, trial)
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        for remark in made.remarks:
            st.info(plain(f"{remark[:1].upper()}{remark[1:]}."), icon=":material/info:")
        st.download_button(
            f"Download {chosen.name}",
            made.content,
            file_name=file,
            mime="text/plain" if isinstance(made.content, str) else "application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
        )
        if isinstance(made.content, str):
            st.code(made.content, language=chosen.language, height=480)
    st.caption("The same in a terminal:")
    which = ["--arm", study.arm, "--repeat", str(study.repeat), "--trial", str(trial.number)]
    terminal("export", found.name, *which, "--format", chosen.name, "-o", file)


def _table(found: Result, arms: list[str], chosen: TableFormat) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        arm = st.selectbox("Arm", [EVERY, *arms], key="arm of table", format_func=short)
        curves = st.toggle("Curves: a row per epoch of every run", key="curves of table")
    which = [] if arm == EVERY else [arm]
    file = file_name(chosen.suffix, found.name, *which, "curves" if curves else "trials")
    st.download_button(
        f"Download {chosen.name}",
        # Made when it is asked for: curves of many trials take a while.
        partial(_written, found, chosen.name, *which, curves=curves),
        file_name=file,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
    _preview(found, arms if arm == EVERY else [arm], curves)
    st.caption("The same in a terminal:")
    told = [*(["--arm", arm] if which else []), *(["--curves"] if curves else [])]
    terminal("export", found.name, *told, "--format", chosen.name, "-o", file)


def _written(found: Result, name: str, arm: str | None = None, *, curves: bool) -> bytes:
    content = formats.export(found.view, name, arm=arm, curves=curves).content
    return content.encode() if isinstance(content, str) else content


def _preview(found: Result, arms: list[str], curves: bool) -> None:
    """The table's first rows."""
    from cooldown.search.evidence.trials import curves_frame, trials_frame

    first = found.view.begun(arms[0])[0]
    trials = sum(len(study.trials) for study in found.record.studies)
    if curves:
        table = curves_frame(found.record, first.arm, first.repeat, first.trials[0].number)
    elif trials <= MOST_TRIALS:
        table = trials_frame(found.record, arms[0] if len(arms) == 1 else None)
    else:
        table = trials_frame(found.record, first.arm, first.repeat)
    alt = "The first rows of the table"
    st.dataframe(table.head(PREVIEW), hide_index=True, placeholder=MISSING, key="preview", alt=alt)
    st.caption(f"The first {min(len(table), PREVIEW)} rows, with numbers shortened; the file has all their digits.")


st.title("Export")
about_experiment(_export)
