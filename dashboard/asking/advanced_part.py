"""All else that a new experiment may be told, folded away; a field that is left empty has its default."""

from typing import Any

import streamlit as st

from cooldown.dashboard.asking.form import Form, kept
from cooldown.search.spec import limits, samplers
from cooldown.search.spec.experiment import Experiment
from cooldown.storage.names import LONGEST
from cooldown.storage.terms import LONGEST_NOTES, MOST_PRIORITY, MOST_TAGS

AUTOMATIC = "automatic"

MOST_IN_BROWSER = 2**53 - 1
"""The largest whole number that a browser counts with."""

MEASURES = (
    ("metric", "Score to show", "the objective, else accuracy or R²"),
    ("objective", "Searched and decided by", "the loss"),
)
NAMES = "One of scikit-learn's scorers, such as roc_auc, f1_macro or mae"

WHOLE = (
    ("epochs", limits.EPOCHS),
    ("batch_size", limits.BATCH_SIZE),
    ("seeds", limits.SEEDS),
    ("finalists", limits.SEEDS),
    ("confirm_seeds", limits.SEEDS),
)
"""Whole numbers of at least 1, and the largest of each."""


def advanced_part(form: Form, *, compares: bool) -> None:
    """Ask for the rest."""
    with st.expander("Advanced: metric, epochs, batch size, seed, name, priority, limits, tags, notes"):
        with st.container(horizontal=True):
            for field, label, default in MEASURES:
                told = st.text_input(label, placeholder=default, width=300, help=NAMES, **kept(field))
                form.put(field, (told or "").strip())
        with st.container(horizontal=True):
            for field, most in WHOLE:
                form.put(field, _whole(field, 1, most))
            form.put("seed", _whole("seed", 0, MOST_IN_BROWSER))
        form.put(
            "hidden",
            _widths(
                st.text_input(
                    "Hidden layers",
                    placeholder="the task's, mostly 32",
                    **kept("hidden"),
                    help="Widths such as 64,32; 0 for none",
                )
            ),
        )
        names = samplers.built_in()
        sampler = st.selectbox("Sampler", names, names.index(_default("sampler")), **kept("sampler"))
        form.put("sampler", None if sampler == _default("sampler") else sampler)
        if compares and len(arms := form.fields.get("arms", _default("arms"))) > 1:
            _primary(form, list(arms))
        _run(form)


def _primary(form: Form, arms: list[str]) -> None:
    """Which two arms the question is about."""
    with st.container(horizontal=True):
        a = st.selectbox("Does this arm …", [AUTOMATIC, *arms], **kept("first arm"), width=260)
        b = st.selectbox("… beat this one?", [AUTOMATIC, *arms], **kept("second arm"), width=260)
    form.put("primary", None if AUTOMATIC in (a, b) else [a, b])


def _run(form: Form) -> None:
    """What is asked of the run, and by which words people find it."""
    form.put("name", st.text_input("Name", placeholder="that of the task", max_chars=LONGEST, **kept("name")))
    with st.container(horizontal=True):
        form.put("priority", _number("Priority: higher ones run first", "priority", -MOST_PRIORITY, MOST_PRIORITY, 0))
        form.put(
            "time_limit",
            st.text_input("Time limit", placeholder="none", help="90s, 15m, 2h or 1d", width=200, **kept("time_limit")),
        )
        form.put(
            "max_gradient_evaluations",
            _number("Most gradient evaluations", "max_gradient_evaluations", 1, MOST_IN_BROWSER, "none"),
        )
    form.put(
        "tags",
        st.multiselect(
            "Tags", [], accept_new_options=True, max_selections=MOST_TAGS, placeholder="Type a tag", **kept("tags")
        ),
    )
    form.put("notes", st.text_area("Notes", max_chars=LONGEST_NOTES, **kept("notes")))


def _default(field: str) -> Any:
    return Experiment.model_fields[field].default


def _whole(field: str, least: int, most: int) -> int | None:
    """A whole number of the spec; None for its default."""
    return _number(str(Experiment.model_fields[field].title), field, least, most, _default(field))


def _number(label: str, field: str, least: int, most: int, default: Any) -> int | None:
    number = st.number_input(label, least, most, None, 1, placeholder=str(default), width=200, **kept(field))
    return None if number is None else int(number)


def _widths(text: str | None) -> Any:
    """`"64,32"` as [64, 32] and `"0"` as no layer; any other text as it is, so that what is wrong with it is told."""
    if not text:
        return None
    try:
        widths = [int(part) for part in text.split(",")]
    except ValueError:
        return text
    return () if widths == [0] else widths
