"""A trial's config as a file, to view, copy or download."""

import re
from pathlib import PurePath

import streamlit as st

from cooldown.dashboard.parts import plain
from cooldown.objectives.errors import InputError
from cooldown.search.evidence.view import View
from cooldown.search.export import ConfigFormat, Exported, ModelFormat, export
from cooldown.search.spec.arms import short
from cooldown.storage import StudyRecord, TrialRecord

LONGEST = 100
"""Characters of a file name."""


def config_file(view: View, study: StudyRecord, trial: TrialRecord, chosen: ConfigFormat) -> None:
    """Show a trial in a format, with a button to download it; or why the format cannot express it."""
    made = download(view, study, trial, chosen)
    if made is not None and isinstance(made.content, str):
        st.code(made.content, language=chosen.language, height=480)


def download(
    view: View, study: StudyRecord, trial: TrialRecord, chosen: ConfigFormat, label: str = ""
) -> Exported | None:
    """The button to download a trial in a format; or why the format cannot express it, and None."""
    try:
        made = export(view, chosen.name, arm=study.arm, repeat=study.repeat, trial=trial.number, opens=False)
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    for remark in made.remarks:
        st.info(plain(f"{remark[:1].upper()}{remark[1:]}."), icon=":material/info:")
    st.download_button(
        label or f"Download {chosen.name}",
        made.content,
        file_name=file_of(view, study, trial, chosen),
        mime="text/plain" if isinstance(made.content, str) else "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
    )
    return made


def file_of(view: View, study: StudyRecord, trial: TrialRecord, chosen: ConfigFormat | ModelFormat) -> str:
    """The name of the file of a trial in a format."""
    return file_name(chosen.suffix, view.name, study.arm, study.repeat, trial.number)


def file_name(suffix: str, *words: object) -> str:
    """A file name made of these words that is valid on every system."""
    joined = re.sub(r"[^A-Za-z0-9]+", "-", " ".join(short(str(word)) for word in words)).strip("-")
    return PurePath(f"{joined[:LONGEST].rstrip('-') or 'export'}{suffix}").name
