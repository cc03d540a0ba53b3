"""The searches of one arm: charts, table and curves of its trials, or of a choice of them that holds for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cooldown.dashboard import addressed, brushing
from cooldown.dashboard.brushing import Axis, brushed
from cooldown.dashboard.linked_tables import linked_table
from cooldown.dashboard.pages import address
from cooldown.dashboard.parts import about_experiment, arm_choice, chart, plain
from cooldown.dashboard.ranging import of_losses, of_parameter, range_sliders
from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.learning import trial_curves
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.search_tables import trials_table
from cooldown.search.evidence.selection import LOSS, TRIAL, Listed, Selection, listed_trials
from cooldown.search.evidence.sensitivity import sensitivities
from cooldown.search.evidence.trials import numeric_parameters
from cooldown.search.evidence.work import CAPTION, DoneJob, work_table
from cooldown.search.experiments.result import Result
from cooldown.search.figures import contour, distribution, importance
from cooldown.search.figures import trial_curves as curves
from cooldown.search.figures import trials as figures
from cooldown.search.figures import workers as timeline
from cooldown.search.spec.space import Parameter
from cooldown.storage import Purpose, StudyRecord

PAGE = {"title": "Search", "icon": "travel_explore", "section": "This experiment", "place": 40}

MOST_BARS = 15
"""The most hyperparameters whose importance is drawn: a joint arm has dozens."""

HEIGHT = 420
"""Pixels of the table of trials."""


@dataclass(frozen=True)
class Shown:
    """What the page is about: an arm's searches, which of their trials are chosen, and how they are drawn."""

    result: Result
    arm: str
    studies: list[StudyRecord]
    parameters: dict[str, Parameter]
    listed: list[Listed]
    selection: Selection
    log: bool

    @property
    def chosen(self) -> frozenset[tuple[int, int]] | None:
        """The chosen trials, by repeat and number; None for all."""
        return None if self.selection.is_all else frozenset(each.key for each in self.selection.of(self.listed))

    def which(self, repeat: float, number: float) -> dict[str, Any]:
        """What an address says of a trial."""
        return {"arm": self.arm, "repeat": int(repeat), "trial": int(number)}


def _search(result: Result) -> None:
    view = result.view
    arms = [arm for arm in view.arms if view.begun(arm)]
    if not arms:
        st.info("There are no trials yet.")
        return
    first = result.verdicts[0].a if result.verdicts and result.verdicts[0].a in arms else arms[0]
    arm = arm_choice(arms, first, "between", "states", "x", "y", "hyperparameter", "part", "sort")
    studies = view.begun(arm)
    parameters = {parameter.key: parameter for parameter in numeric_parameters(view, arm)}
    listed = listed_trials(studies)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = addressed.choices(st.multiselect, "Charts", list(CHARTS), "charts", list(CHARTS)[:2])
        log = addressed.flag("Log loss axis", "log", True)
    selection = _selection(listed, parameters)
    shown = Shown(result, arm, studies, parameters, listed, selection, log)
    _said(shown)
    for name in wanted:
        st.header(name, anchor=False)
        CHARTS[name](shown)
    _trials(shown)
    _curves(shown)


def _selection(listed: Sequence[Listed], parameters: Mapping[str, Parameter]) -> Selection:
    """What the reader has chosen: states, the best of each repeat, and ranges of values, also marked in a chart."""
    states = sorted({each.state for each in listed})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = addressed.choices(st.pills, "State", states, "states", selection_mode="multi")
        most = max(len(each.study.trials) for each in listed)
        top = addressed.number("Best of each repeat", "top", None, 1, most, integer=True, placeholder="All", width=190)
    between = brushing.ranges([TRIAL, LOSS, *parameters])
    losses = of_losses([each.trial.validation_loss for each in listed])
    range_sliders([*map(of_parameter, parameters.values()), losses], between)
    return Selection(frozenset(wanted), top, between)


def _said(shown: Shown) -> None:
    """How many trials are chosen, by what, and the way back to all."""
    total = counted(len(shown.listed), "trial")
    if shown.chosen is None:
        st.caption(f"{total}.")
        return

    def clear() -> None:
        for name in ("states", "top", "between"):
            addressed.write(name, ())

    with st.container(horizontal=True, vertical_alignment="center"):
        st.write(plain(f"{len(shown.chosen):,} of {total} chosen: {shown.selection.in_words()}."))
        st.button("Choose all", icon=":material/filter_alt_off:", on_click=clear)


def _brushed(shown: Shown, figure: Any, key: str, axes: tuple[Axis, Axis], reading: str, table: Any) -> None:
    brushed(
        figure,
        key,
        axes,
        shown.selection.between,
        lambda custom: shown.which(custom[0], custom[1]),
        shown.result.name,
        reading=reading,
        table=table,
    )


def _history(shown: Shown) -> None:
    best = addressed.flag("Best so far", "best", True)
    _brushed(
        shown,
        figures.history(shown.studies, log=shown.log, best=best, chosen=shown.chosen),
        "history",
        (Axis(TRIAL), Axis(LOSS)),
        figures.history_caption(shown.result.view, shown.studies),
        lambda: figures.history_table(shown.studies),
    )


def _hyperparameter(shown: Shown) -> None:
    if not shown.parameters:
        st.info("This arm's search varies no numbers.")
        return
    key = addressed.choice(st.selectbox, "Hyperparameter", list(shown.parameters), "hyperparameter")
    parameter = shown.parameters[key]
    at_edges = {edge.parameter.key: edge.side for edge in edges(shown.result.view) if edge.arm == shown.arm}
    if key in at_edges:
        side = "bottom" if at_edges[key] == "low" else "top"
        st.warning(f"The best values of {plain(key)} are at the {side} of its range.", icon=":material/warning:")
    _brushed(
        shown,
        figures.slice_(shown.studies, parameter, at_edges.get(key), log=shown.log, chosen=shown.chosen),
        "slice",
        # The axis of 1 − value shows that.
        (Axis(key, lambda value: 1 - value if parameter.flipped else value), Axis(LOSS)),
        f"{figures.SLICE_CAPTION} A winner is the finalist with the lowest loss over further seeds; its search loss, "
        "which is drawn, need not be the lowest.",
        lambda: figures.slice_table(shown.studies, parameter),
    )


def _two(shown: Shown) -> None:
    names = list(shown.parameters)
    if len(names) < 2:
        st.info("This arm's search varies fewer than two numbers.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = addressed.choice(st.selectbox, "Horizontal", names, "x", width=260)
        y = addressed.choice(st.selectbox, "Vertical", [name for name in names if name != x], "y", width=260)
        surface = addressed.flag("Loss between the trials", "surface", True)
    a, b = shown.parameters[x], shown.parameters[y]
    _brushed(
        shown,
        contour.contour(shown.studies, a, b, shown.chosen, surface=surface),
        "contour",
        (Axis(x, a.at), Axis(y, b.at)),
        contour.CAPTION if surface else contour.RANK_CAPTION,
        lambda: contour.contour_table(shown.studies, a, b),
    )


def _together(shown: Shown) -> None:
    parameters, between = list(shown.parameters.values()), shown.selection.between
    # Lines outside of a range stay in sight, in grey.
    drawn = replace(shown, selection=replace(shown.selection, between={})).chosen
    chart(
        figures.parallel(shown.studies, parameters, drawn, between),
        "parallel",
        reading=f"{figures.PARALLEL_CAPTION} Ranges are chosen with the sliders under “Ranges of values”; dragging "
        "along an axis filters the lines of this chart alone.",
        table=lambda: figures.parallel_table(shown.studies, parameters),
    )


def _workers(shown: Shown) -> None:
    view, chosen = shown.result.view, shown.chosen

    def stands_out(job: DoneJob) -> bool:
        return chosen is None or (job.arm == shown.arm and not chosen.isdisjoint(job.trials))

    figure = timeline.workers(view, stands_out)
    if figure is None:
        st.info("Which workers trained these trials is not known: they are from an older version of Cooldown.")
        return
    chart(figure, "workers", reading=CAPTION, table=lambda: work_table(view))


def _distribution(shown: Shown) -> None:
    view = shown.result.view
    studies = {arm: view.begun(arm) for arm in view.arms if view.begun(arm)}
    chart(
        distribution.distribution(studies, log=shown.log),
        "distribution",
        reading=distribution.CAPTION,
        table=lambda: distribution.distribution_table(studies),
    )


def _importance(shown: Shown) -> None:
    known = [each for each in sensitivities(shown.result.view) if each.arm == shown.arm and each.importance is not None]
    if not known:
        st.info("There are too few trials to estimate importance.")
        return
    drawn = sorted(known, key=lambda each: -(each.importance or 0.0))[:MOST_BARS]
    left = f" Shown: the {MOST_BARS} most important of {len(known)}." if len(known) > MOST_BARS else ""
    chart(
        importance.importance(drawn),
        "importance",
        reading=f"{importance.CAPTION}{left}",
        table=lambda: importance.importance_table(known),
    )


CHARTS: Mapping[str, Callable[[Shown], None]] = {
    "History": _history,
    "Hyperparameter": _hyperparameter,
    "Two hyperparameters": _two,
    "All hyperparameters": _together,
    "Importance": _importance,
    "Distribution": _distribution,
    "Workers": _workers,
}
"""The charts that the page can show, by name; the first two unless the reader wants others."""


def _trials(shown: Shown) -> None:
    st.header("Trials", anchor=False)
    chosen = shown.chosen
    places = [place for place, each in enumerate(shown.listed) if chosen is None or each.key in chosen]
    # Without empty columns: a joint arm's trials have few of its hyperparameters.
    table = trials_table(shown.studies, [each.state for each in shown.listed]).take(places).without_empty_columns()
    if not places:
        st.info("No trials match.")
        return
    linked_table(
        table,
        [address(shown.result.name, **shown.which(*shown.listed[place].key)) for place in places],
        ["repeat {}, trial {}".format(*shown.listed[place].key) for place in places],
        "trial",
        key="trials",
        label="The chosen trials of this arm with their losses and hyperparameters",
        height=HEIGHT,
    )
    st.caption("Click a row to open its trial; j and k move between rows. Click a column header to sort.")


def _curves(shown: Shown) -> None:
    """The curves of the chosen trials, the best ones where there are many."""
    if shown.chosen is None:
        return
    chosen = sorted(shown.selection.of(shown.listed), key=lambda each: each.trial.validation_loss)[: curves.MOST]
    drawn = {}
    for each in chosen:
        found = trial_curves(each.trial, Purpose.SEARCH)
        if found is not None:
            drawn[f"repeat {each.study.repeat}, trial {each.trial.number}"] = found
    if not drawn:
        return
    st.header("Curves of the chosen trials", anchor=False)
    left = f" The {curves.MOST} with the lowest loss are drawn." if len(shown.chosen) > curves.MOST else ""
    chart(
        curves.trial_curves(drawn, log_loss=shown.log),
        "curves",
        reading=f"{curves.CAPTION}{left}",
        table=lambda: curves.trial_curves_table(drawn),
    )


st.title("Search")
about_experiment(_search)
