"""The question of a new experiment, and the arms that answer it, as chips with their schedules drawn."""

import streamlit as st

from cooldown.dashboard.asking.chips import chips
from cooldown.dashboard.asking.form import Form, kept
from cooldown.objectives import optimizers, schedules
from cooldown.search.spec.arms import joint_arm, known_arms
from cooldown.search.spec.experiment import DEFAULT_ARMS

COMPARE, SEARCH = "SGD or Adam?", "Find the best config"

ABOUT = {
    COMPARE: "Tunes each arm by itself under equal budgets, several times; says which is better, and how sure that is.",
    SEARCH: "Searches all these optimizers and schedules together for one good config; does not show which is better.",
}


def question_part(form: Form) -> bool:
    """Ask for the question. Fills arms; returns whether arms are compared."""
    st.header("Question", anchor=False)
    question = str(
        st.segmented_control(
            "Question", list(ABOUT), default=COMPARE, required=True, label_visibility="collapsed", **kept("question")
        )
    )
    st.caption(ABOUT[question])
    if question == COMPARE:
        _arms(form)
    else:
        _choices(form)
    return question == COMPARE


def _arms(form: Form) -> None:
    """The arms to compare. They are left out where they are the default ones."""
    arms = st.multiselect(
        "Arms",
        list(dict.fromkeys((*DEFAULT_ARMS, *known_arms()))),
        default=DEFAULT_ARMS,
        accept_new_options=True,
        wrap=True,
        placeholder="Choose arms, or type one",
        help="An optimizer, or optimizer+schedule; with settings of its own: bn=momentum+cosine[batch_norm=true]",
        **kept("arms"),
    )
    st.html(chips(arms))
    form.put("arms", None if arms == list(DEFAULT_ARMS) else arms)
    if not arms:
        # Not the default ones: none at all.
        form.fields["arms"] = arms


def _choices(form: Form) -> None:
    """What one search chooses from."""
    chosen = []
    for label, names, field in (
        ("Optimizers", optimizers.names(), "optimizers"),
        ("Schedules", schedules.names(), "schedules"),
    ):
        every = st.toggle(f"All {len(names)} {label.lower()}", value=True, **kept(f"all {field}"))
        some = names if every else st.multiselect(label, names, default=names[:1], **kept(field))
        chosen.append(some or names)
    arm = f"{','.join(chosen[0])}+{','.join(chosen[1])}"
    st.html(chips([arm]))
    form.put("arms", [joint_arm() if arm == joint_arm() else arm])
