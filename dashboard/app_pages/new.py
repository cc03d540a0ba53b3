"""A new experiment: data, question, how sure, and the rest; beside them the command that does the same."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from cooldown.dashboard import acting, data
from cooldown.dashboard.asking.advanced_part import advanced_part
from cooldown.dashboard.asking.data_part import data_part
from cooldown.dashboard.asking.form import Form
from cooldown.dashboard.asking.question_part import question_part
from cooldown.dashboard.asking.sure_part import show_levels, sure_part
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import errors_shown, plain
from cooldown.search.report.submission import submission_command
from cooldown.search.service import actions, asking
from cooldown.search.service.access.principal import LOCAL, Principal
from cooldown.search.service.service import Service
from cooldown.search.spec.mistakes import Mistake
from cooldown.storage.address import elsewhere
from cooldown.storage.tokens import Role

PAGE = {"title": "New experiment", "icon": "add_circle", "section": "", "place": 11}

BESIDE = (
    "<style>@media (min-width: 641px) {[data-testid=stColumn]:has(.st-key-beside)"
    "{position: sticky; top: 4rem; align-self: flex-start}}</style>"
)
"""The command stays in sight while its reader scrolls."""


def _server() -> list[str]:
    """The options with which a command reaches this server from elsewhere; none on a dashboard that only reads."""
    parts = urlsplit(st.context.url or "")
    if acting.service() is None or not parts.netloc:
        return []
    base = parts.path.rpartition("/")[0]
    return ["--server", f"{parts.scheme}://{parts.netloc}{base}"]


def _mistakes(form: Form, who: Principal | None) -> list[Mistake]:
    """What is wrong with the form as it is, and what the server said of it when it was submitted."""
    if "task" not in form.fields:
        return [Mistake("task", "task: choose what is trained on")]
    service, refused = acting.service(), st.session_state.get("refused submission")
    said = list(refused[1].mistakes) if refused and refused[0] == form.fields else []
    if service is None or who is None or not who.may(Role.SUBMIT):
        return said
    return list(dict.fromkeys([*asking.mistakes_in(service, who, form.fields), *said]))


def _beside(form: Form, mistakes: list[Mistake], who: Principal | None) -> None:
    """The command, and the button."""
    st.subheader("The same in a terminal", anchor=False)
    if "task" in form.fields:
        server = _server()
        db = None if server else elsewhere(data.where())
        st.code(submission_command(form.fields, *server, db=db), language="bash", wrap_lines=True)
        if server and who != LOCAL:
            st.caption("With your token in the variable `COOLDOWN_TOKEN`.")
    for mistake in form.tell(mistakes):
        st.error(plain(mistake.line), icon=":material/error:")
    if wrong := sorted({mistake.field for mistake in mistakes} & form.asked):
        # A part of the form may be folded.
        st.warning(plain(f"Needs correction: {', '.join(wrong)}"), icon=":material/edit:")
    if acting.service() is None:
        st.info("This dashboard is read-only. A server (`cooldown serve`) has a button to start it.")
    elif who is None or not who.may(Role.SUBMIT):
        st.info("To start it here, sign in with a token that may submit.")
    else:
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="start",
            disabled="task" not in form.fields,
            on_click=partial(_start, dict(form.fields)),
        )
        refused = st.session_state.get("refused submission")
        if refused and refused[0] == form.fields and not refused[1].mistakes:
            st.error(plain(f"{refused[1].said}."), icon=":material/error:")


def _start(fields: dict[str, Any]) -> None:
    """Submit it; its page is opened then, or what is wrong is told."""
    made: list[str] = []

    def submit(service: Service, who: Principal) -> str:
        made.append(actions.submit(service, who, fields).name)
        return f"{made[0]} is submitted"

    outcome = acting.done(submit)
    st.session_state["refused submission"] = None if outcome.done else (fields, outcome)
    st.session_state["submitted"] = made[0] if outcome.done else None


def _new() -> None:
    if name := st.session_state.pop("submitted", None):
        st.switch_page(page("live"), query_params=address(name))
    form = Form()
    asked, beside = st.columns([3, 2], gap="large")
    with asked:
        data_part(form)
        compares = question_part(form)
        levels = sure_part(form, compares=compares)
        advanced_part(form, compares=compares)
        with levels:
            show_levels(form, compares=compares)
    st.html(BESIDE)
    who = acting.who()
    with beside, st.container(key="beside"):
        _beside(form, _mistakes(form, who), who)


st.title("New experiment")
with errors_shown():
    _new()
