"""The survey's claims on every task of the ledger: which hold, and what each verdict rests on."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cooldown.dashboard import addressed, data
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import errors_shown, evidence, notes, plain, terminal
from cooldown.search.claims.standing import Place, Standing, places, standing, version
from cooldown.search.claims.survey import every, get
from cooldown.storage import Summary

PAGE = {"title": "Survey", "icon": "fact_check", "section": "", "place": 15}

COLOURS = {"supported": "#2E9E6B", "contradicted": "#D1495B", "open": "#E0A030"}
"""Of the words that are verdicts, behind a text that is readable on all of them."""

NOT_RUN = "This claim has not been checked on this task yet. Check it in a terminal:"
ON_REQUEST = (
    "Computed from the task's rows, or measured on the machine: not kept in the ledger. Check it in a terminal:"
)


@st.cache_resource(show_spinner=False, max_entries=512, hash_funcs={Summary: version})
def _standing(id: str, of: Place, summaries: dict[str, Summary]) -> Standing:
    """Where a claim stands on one place; worked out again only when there is more in the ledger."""
    return standing(get(id), of, summaries, lambda name: data.result(summaries[name]).view)


def _colour(word: Any) -> str:
    return f"background-color: {COLOURS[word]}; color: #000000" if word in COLOURS else ""


def _survey() -> None:
    summaries = {each.name: each for each in data.summaries()}
    about = places(list(summaries.values()))
    columns = {_heading(of, about): [_standing(claim.id, of, summaries) for claim in every()] for of in about}
    words = pd.DataFrame({name: [each.state for each in of] for name, of in columns.items()})
    words.insert(0, "Claim", [claim.id for claim in every()])
    # Last, so that a narrow window shows the verdicts.
    words["Statement"] = [claim.statement for claim in every()]
    ids, headings = [claim.id for claim in every()], list(columns)
    asked = addressed.read("cell", lambda said: _cell(said[-1], ids, headings), None)
    # The address decides which cell is chosen, also after Back: another address is another table.
    key = f"survey {asked}"

    def keep() -> None:
        cells = [cell for cell in st.session_state[key]["selection"]["cells"] if cell[1] in headings]
        addressed.write("cell", [f"{ids[cells[0][0]]} {cells[0][1]}"] if cells else [])

    st.dataframe(
        words.style.map(_colour, subset=list(columns)),
        column_config={
            "Claim": st.column_config.TextColumn("Claim", width=130, pinned=True),
            "Statement": st.column_config.TextColumn("Statement", width="large"),
        },
        hide_index=True,
        height="content",
        on_select=keep,
        selection_mode="single-cell",
        selection_default={"selection": {"cells": [] if asked is None else [(ids.index(asked[0]), asked[1])]}},
        key=key,
        alt="Claims of the survey by rows, tasks and surfaces by columns, and whether each claim holds there",
    )
    st.caption("Select a cell to see what its verdict rests on.")
    if asked is not None:
        id, heading = asked
        _details(columns[heading][ids.index(id)])


def _cell(said: str, ids: Sequence[str], headings: Sequence[str]) -> tuple[str, str]:
    """Claim and heading of a cell in the address, `C3 digits`; raises ValueError for one that is not there."""
    id, _, heading = said.partition(" ")
    if id not in ids or heading not in headings:
        raise ValueError
    return id, heading


def _heading(of: Place, among: list[Place]) -> str:
    """A place's name, with the beginning of its fingerprint where another has the same."""
    same = [each for each in among if each.name == of.name]
    return of.name if len(same) == 1 else f"{of.name} ({str(of.fingerprint)[:6]})"


def _details(about: Standing) -> None:
    """One claim on one place: the finding, its parts, and the experiments behind it."""
    claim, result = about.claim, about.result
    st.header(f"{claim.id} on {plain(about.place.name)}: {about.state}", anchor=False)
    st.markdown(plain(f"{claim.statement}. ({claim.source})"))
    if result is not None:
        st.markdown(plain(result.sentence))
    if claim.published:
        st.markdown(plain(f"Published: {claim.published}."))
    if result is not None and result.findings:
        evidence(result.table(), f"parts of {claim.id}")
    for name in about.experiments:
        st.page_link(page("verdict"), label=plain(name), icon=":material/gavel:", query_params=address(name))
    if about.state in ("not run", "on request", "not finished"):
        st.caption(ON_REQUEST if about.state == "on request" else NOT_RUN)
        target = about.place.target
        terminal("claim", claim.id, about.place.name, *([f"--target={target}"] if target else []))


st.title("Survey")
st.page_link(page("walk"), label="A walk through the survey", icon=":material/route:")
with errors_shown():
    running = any(each.status.under_way for each in data.summaries())

    @st.fragment(run_every=data.LIVE if running else None)
    def survey() -> None:
        """The table, updated while an experiment is running."""
        with errors_shown(), notes():
            _survey()

    survey()
