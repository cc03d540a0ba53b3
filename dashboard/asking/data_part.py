"""What a new experiment is trained on: a built-in task from a card, or a file with a preview of how it is read."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from cooldown.dashboard import acting
from cooldown.dashboard.asking.form import Form, kept
from cooldown.dashboard.parts import evidence, plain
from cooldown.objectives import tasks
from cooldown.objectives.data.svmlight import QUERIES
from cooldown.objectives.data.uploaded import PREFIX
from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import visible
from cooldown.search.experiments.catalog import first_line
from cooldown.search.service import actions, asking
from cooldown.search.service.access.principal import Principal
from cooldown.search.service.refused import RefusedError
from cooldown.search.service.service import MB, Service
from cooldown.storage.names import first_free
from cooldown.storage.tokens import Role

T = TypeVar("T")

BUILT_IN, FILE, OPENML = "Built-in task", "My own file", "OpenML"
FIRST = "digits"
CARD = 165
"""Width of a card in pixels: a narrow window shows two in a row."""

TYPES = ["csv", "tsv", "txt", "parquet", "svm", "svmlight", "libsvm"]
ROWS = 5
"""Rows of a file that are shown."""

AUTOMATIC = "automatic"


def data_part(form: Form) -> None:
    """Ask what is trained on. Fills task and, for a file, the fields that say how it is read."""
    st.header("Data", anchor=False)
    offered, who = acting.service(), acting.who()
    may_upload = offered is not None and who is not None and who.may(Role.SUBMIT)
    kinds = [BUILT_IN, *([FILE] if may_upload else [])]
    if offered is not None and offered.limits.openml:
        kinds.append(OPENML)
    kind = BUILT_IN
    if len(kinds) > 1:
        kind = str(
            st.segmented_control(
                "Data", kinds, default=BUILT_IN, required=True, label_visibility="collapsed", **kept("kind of data")
            )
        )
    else:
        st.caption("On a server (`cooldown serve`), people who may submit can also upload files.")
    if kind == FILE and offered is not None and who is not None:
        _file(form, offered, who)
    elif kind == OPENML:
        form.put("task", st.text_input("Data set", placeholder="openml:credit-g", **kept("openml")))
    else:
        _cards(form)


def _cards(form: Form) -> None:
    """The built-in tasks, a card each."""
    names = tasks.names()
    chosen = st.session_state.setdefault("chosen task", FIRST)
    with st.container(horizontal=True, key="task-cards"):
        for name in names:
            with st.container(width=CARD):
                st.button(
                    name,
                    key=f"task {name}",
                    type="primary" if name == chosen else "secondary",
                    icon=":material/check:" if name == chosen else None,
                    width="stretch",
                    on_click=partial(st.session_state.__setitem__, "chosen task", name),
                )
                st.caption(plain(first_line(name)))
    form.put("task", chosen)


def _file(form: Form, service: Service, who: Principal) -> None:
    """An uploaded file: which one, its target, a test set, and how it is read."""
    digest = _chosen_file("File", "file", service, who, needed=True)
    form.put("task", f"{PREFIX}{digest}" if digest else None)
    if digest is None:
        st.info("Upload a table with a header line, delimited text or Parquet, or a svmlight file of sparse rows.")
        return
    head = _remembered("first rows", [who.name, digest], lambda: asking.head(service, who, digest, ROWS))
    if isinstance(head, str):
        st.error(plain(head), icon=":material/error:")
        return
    if head is None:
        st.write("A svmlight file: its labels are predicted from sparse rows.")
        _kind(form)
        together = st.checkbox("The rows of a query (qid) stay together", **kept(f"queries of {digest[:8]}"))
        form.put("groups", QUERIES if together else None)
        form.put("test", _test_set(digest[:8], service, who))
        _preview(form, service, who)
        return
    columns = list(dict.fromkeys(str(name) for name in head.columns))
    titles: list[str] = []
    for name in head.columns:
        # Two columns may be called the same, until one of them is left out.
        titles.append(first_free(_titled(str(name)), titles))
    st.dataframe(head.set_axis(titles, axis=1), hide_index=True, alt="The first rows of the file", key="first rows")
    # A column of one file need not be one of another.
    of_file = digest[:8]
    form.put(
        "target",
        st.selectbox(
            "Column to predict", columns, len(columns) - 1, format_func=_titled, **kept(f"target of {of_file}")
        ),
    )
    _reading(form, columns, of_file, service, who)
    _preview(form, service, who)


def _chosen_file(label: str, key: str, service: Service, who: Principal, *, needed: bool) -> str | None:
    """The digest of a file that is uploaded now, or was before; None for none. needed: whether one is chosen at first,
    if there is any.
    """
    uploaded = st.file_uploader(
        label, TYPES, key=f"new upload {key}", max_upload_size=max(service.limits.dataset // MB, 1)
    )
    chosen = f"new chosen {key}"
    if uploaded is not None:
        if st.session_state.get(f"upload of {key}", ("",))[0] != uploaded.file_id:
            content = uploaded.getvalue()
            outcome = acting.done(partial(_upload, content, uploaded.name))
            st.session_state[f"upload of {key}"] = uploaded.file_id, outcome
            if outcome.done:
                st.session_state[chosen] = hashlib.sha256(content).hexdigest()
        outcome = st.session_state[f"upload of {key}"][1]
        if not outcome.done:
            st.error(plain(f"{outcome.said}."), icon=":material/error:")
    known = {data.digest: data for data in service.ledger.datasets.list(who.name)}
    if not known:
        return None
    if st.session_state.get(chosen) not in (None, *known):
        # It was deleted meanwhile.
        st.session_state[chosen] = None
    if needed and chosen not in st.session_state:
        st.session_state[chosen] = next(iter(known))
    return st.selectbox(
        f"{label}: choose an upload",
        list(known),
        index=None,
        format_func=lambda digest: f"{visible(known[digest].file)} · {known[digest].size:,} bytes · {digest[:8]}",
        placeholder="Choose a file" if needed else "None: test rows are drawn for each repeat",
        **kept(f"chosen {key}"),
    )


def _upload(content: bytes, file: str, service: Service, who: Principal) -> str:
    data, _ = actions.upload(service, who, content, file)
    return f"{data.file} is uploaded"


def _reading(form: Form, columns: list[str], of_file: str, service: Service, who: Principal) -> None:
    """What the cells of a file alone do not decide."""
    with st.expander("How the columns are read, and a test set"):
        _kind(form)
        for field, label in (
            ("drop", "Leave out"),
            ("categories", "Labels as written, even if they look like numbers"),
            ("dates", "Dates"),
        ):
            form.put(field, st.multiselect(label, columns, format_func=_titled, **kept(f"{field} of {of_file}")))
        form.put(
            "missing",
            _words(st.text_input("Other texts that mark a missing cell", **kept("missing"), help="-999, none")),
        )
        decimal = st.selectbox("Decimal mark of numbers such as 1,234", [AUTOMATIC, ".", ","], **kept("decimal"))
        form.put("decimal", None if decimal == AUTOMATIC else decimal)
        for field, label in (
            ("groups", "Groups: rows with the same value stay together"),
            ("time", "Time: test rows are later than training rows"),
            ("sample_weight", "Weights of the rows"),
        ):
            chosen = st.selectbox(
                label, columns, index=None, format_func=_titled, placeholder="None", **kept(f"{field} of {of_file}")
            )
            form.put(field, chosen)
        form.put("test", _test_set(of_file, service, who))


def _kind(form: Form) -> None:
    kind = st.selectbox("Kind", [AUTOMATIC, "classification", "regression"], **kept("kind"))
    form.put("kind", None if kind == AUTOMATIC else kind)


def _test_set(of_file: str, service: Service, who: Principal) -> str | None:
    """The chosen test set as a task names it; None for none."""
    test = _chosen_file("Test set", f"test of {of_file}", service, who, needed=False)
    return f"{PREFIX}{test}" if test else None


def _titled(name: str) -> str:
    """A column's name as it is shown."""
    return visible(name) or "(no name)"


def _words(text: str | None) -> list[str]:
    """The words of a list with commas."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


def _preview(form: Form, service: Service, who: Principal) -> None:
    """How each column is read, with what is doubtful, or why it cannot be read; read again where that changes."""
    found = _remembered("previewed", [who.name, form.spec], lambda: asking.described(service, who, form.spec))
    if isinstance(found, str):
        st.error(plain(found), icon=":material/error:")
        return
    st.subheader("How it is read", anchor=False)
    st.write(plain(found.heading))
    if found.columns.rows:
        evidence(found.columns, "columns")
    for doubt in found.doubts:
        st.warning(plain(doubt), icon=":material/warning:")


def _remembered(slot: str, of: list[Any], look: Callable[[], T]) -> T | str:
    """What `look` found for this, or as a text why it found nothing; looked for again only for something else."""
    key = json.dumps(of, sort_keys=True)
    if st.session_state.get(slot, ("",))[0] != key:
        try:
            found: T | str = look()
        except RefusedError as refusal:
            found = refusal.detail
        except InputError as error:
            found = str(error)
        st.session_state[slot] = key, found
    remembered: T | str = st.session_state[slot][1]
    return remembered
