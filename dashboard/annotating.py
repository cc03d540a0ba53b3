"""The tags and notes of an experiment, to be changed by those who may."""

from functools import partial

import streamlit as st

from cooldown.dashboard import acting
from cooldown.search.service import actions
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.service import Service
from cooldown.storage import Summary
from cooldown.storage.terms import LONGEST_NOTES, MOST_TAGS


def editor(summary: Summary, key: str) -> None:
    """Its tags and notes in fields, and a button that saves them. key: unique on the page."""
    tags, notes = f"tags {key}", f"notes {key}"
    st.multiselect(
        "Tags",
        summary.terms.tags,
        default=summary.terms.tags,
        key=tags,
        accept_new_options=True,
        max_selections=MOST_TAGS,
        placeholder="Type a tag",
    )
    st.text_area("Notes", summary.terms.notes, key=notes, max_chars=LONGEST_NOTES)
    save = partial(acting.act, partial(_annotated, summary.name, tags, notes))
    st.button("Save", type="primary", key=f"annotate {key}", on_click=save)


def _annotated(name: str, tags: str, notes: str, service: Service, who: Principal) -> str:
    # As they are now: what was typed last comes together with the click.
    actions.annotate(service, who, name, tags=st.session_state[tags], notes=st.session_state[notes])
    return f"the tags and notes of {name} are saved"
