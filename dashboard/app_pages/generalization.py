"""How the winners generalize: their networks, trained again on request, under the probes."""

import streamlit as st

from cooldown.dashboard import acting, data
from cooldown.dashboard.parts import about_experiment, chart, evidence, plain, terminal
from cooldown.dashboard.probing import Measured, probing
from cooldown.search.evidence.generalization import generalization_table
from cooldown.search.experiments.result import Result
from cooldown.search.figures.generalization import READING, ablation, ablation_table
from cooldown.storage import Summary
from cooldown.storage.tokens import Role

PAGE = {"title": "Generalization", "icon": "psychology", "section": "This experiment", "place": 45}

ABOUT = (
    "The ledger holds losses, not networks. To probe the winners, each is trained again as in its "
    "evaluation, in the background; the result is kept while this server runs."
)
LIVE = 1.0
"""Seconds between two looks at the process."""


def _generalization(result: Result) -> None:
    now = data.summary(result.name)
    if now is None:
        return
    if not any(study.evaluations for arm in result.view.arms for study in result.view.searches(arm)):
        st.info("No winner has been evaluated yet.")
        return
    known = probing().known(now)
    if known is not None:
        _shown(known)
        return
    st.caption(ABOUT)
    _request(now)


def _request(of: Summary) -> None:
    """The button, and while a process is at work what it does."""
    running = probing().running()
    if running == of.name:
        st.info("The winners are being trained again and probed …", icon=":material/hourglass_top:")
    elif _may():
        told = "The winners of another experiment are being probed." if running else None
        st.button("Probe the winners", on_click=probing().begin, args=(of,), disabled=bool(running), help=told)
    if running:
        _wait()
    st.caption("In a terminal:")
    terminal("show", of.name, "generalization")


@st.fragment(run_every=LIVE)
def _wait() -> None:
    """Show the page anew as soon as nothing is at work."""
    if probing().running() is None:
        st.rerun()


def _may() -> bool:
    """Whether whoever looks at the page may have the server's machine train; on one's own machine, everybody."""
    who = acting.who()
    return not acting.offers() or (who is not None and who.may(Role.SUBMIT))


def _shown(measured: Measured) -> None:
    if measured.error:
        st.warning(plain(f"There are no probes: {measured.error}."), icon=":material/info:")
        return
    evidence(generalization_table(measured.found), "generalization")
    if any(len(found.ablation[0]) for found in measured.found):
        st.header("Single directions", anchor=False)
        chart(ablation(measured.found), "ablation", reading=READING, table=lambda: ablation_table(measured.found))


st.title("Generalization")
about_experiment(_generalization)
