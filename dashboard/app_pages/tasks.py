"""All tasks at once: who is better on each and over all of them, the arms' ranks, and experiments over each other."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from cooldown.dashboard import addressed, data
from cooldown.dashboard.pages import address, page
from cooldown.dashboard.parts import chart, errors_shown, evidence, no_experiments, plain, rows
from cooldown.search.evidence.across import overlay
from cooldown.search.evidence.across.comparison import Asked, Comparison, compared
from cooldown.search.evidence.across.measured import KINDS, LeftOut, Measured
from cooldown.search.evidence.across.ranking import FEWEST
from cooldown.search.evidence.across.tables import arms_table, left_out_table, question_table, ranks_table
from cooldown.search.evidence.view import View
from cooldown.search.figures import across as figures

PAGE = {"title": "All tasks", "icon": "dataset", "section": "", "place": 14}

QUESTION, ANY = "Annealed SGD or adaptive", "any"

SIZES: dict[str, tuple[int | None, int | None]] = {
    ANY: (None, None),
    "below 300": (None, 299),
    "300 to 3,000": (300, 3000),
    "above 3,000": (3001, None),
}
"""Choices of training rows: the least and the most."""


def _asked(found: Sequence[Measured | LeftOut]) -> Asked:
    """What the reader wants to compare, over which tasks."""
    arms = sorted({arm for each in found if isinstance(each, Measured) for arm in each.losses})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = addressed.choice(st.selectbox, "Question", [QUESTION, *arms], "first", resets=["second"])
        second = None
        if first != QUESTION:
            others = [arm for arm in arms if arm != first]
            second = addressed.choice(st.selectbox, "against", others, "second") if others else None
        kind = addressed.choice(st.selectbox, "Kind of task", [ANY, *KINDS], "kind")
        size = addressed.choice(st.selectbox, "Training rows", list(SIZES), "rows")
    least, most = SIZES[size]
    primary = None if second is None else (first, second)
    return Asked(primary, None if kind == ANY else kind, least, most)


def _question(comparison: Comparison) -> list[str]:
    """The answer over all tasks, its table and chart; returns the experiments that are ticked."""
    across = comparison.across
    st.caption(plain(across.question))
    st.header(plain(across.sentence), anchor=False)
    if not across.tasks:
        return []
    table = question_table(across)
    names = [each.of.experiment for each in across.tasks]
    given: list[str] = addressed.read("overlay", lambda said: list(said), [])
    ticked = [names.index(name) for name in given if name in names]
    # The address decides what is ticked, also after Back: another address is another table.
    key = f"tasks {names} {given}"

    def keep() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        addressed.write("overlay", [names[row] for row in chosen if row < len(names)])

    rows(
        table,
        key=key,
        alt=table.reading,
        on_select=keep,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
    )
    st.caption(plain(f"{table.reading} {table.note} Select rows to overlay their curves, budgets and configs."))
    chart(figures.forest(across), "forest", reading=figures.FOREST_CAPTION, table=lambda: table)
    return [names[row] for row in ticked]


def _ranks(comparison: Comparison) -> None:
    ranking = comparison.ranking
    if len(ranking.arms) < FEWEST or not ranking.tasks:
        return
    st.header("All arms", anchor=False)
    evidence(arms_table(ranking), "arms on tasks")
    if ranking.ranked is not None:
        table = ranks_table(ranking)
        reading = f"{table.reading} A bar joins arms that cannot be told apart."
        chart(figures.ranks(ranking), "ranks", reading=reading, table=lambda: table)


def _overlay(names: Sequence[str]) -> None:
    """The ticked experiments over each other."""
    views = [view for name in names if (view := _view(name)) is not None]
    if not views:
        return
    st.header("Ticked experiments", anchor=False)
    for key, title, lines, x in (
        ("learning", "Learning curves of the winners", overlay.learning_lines(views), "Epochs"),
        ("budgets", "Expected best by number of trials", overlay.budget_lines(views), "Trials"),
    ):
        st.subheader(title, anchor=False)
        if lines:
            numbers = partial(overlay.lines_table, lines, x, figures.SHARE)
            chart(figures.overlaid(lines, x), key, reading=figures.OVERLAY_CAPTION, table=numbers)
    st.subheader("Best configs", anchor=False)
    evidence(overlay.configs_table(views), "configs")
    for view in views:
        st.page_link(page("verdict"), label=plain(view.name), icon=":material/gavel:", query_params=address(view.name))


def _view(name: str) -> View | None:
    summary = data.summary(name)
    return None if summary is None else data.result(summary).view


st.title("All tasks")
with errors_shown():
    found = data.measured()
    if not found:
        no_experiments()
    else:
        comparison = compared(found, _asked(found))
        ticked = _question(comparison)
        _ranks(comparison)
        _overlay(ticked)
        if comparison.left_out:
            with st.expander(f"Left out: {len(comparison.left_out)}"):
                evidence(left_out_table(comparison.left_out), "left out")
