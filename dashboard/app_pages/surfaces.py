"""The survey's figures 5 and 6, live: paths of optimizers over a surface, each with its tuned learning rate."""

from collections.abc import Sequence

import streamlit as st

from cooldown.dashboard import addressed
from cooldown.dashboard.parts import chart, errors_shown, notes, plain
from cooldown.dashboard.viewport import is_narrow
from cooldown.objectives import optimizers, surfaces
from cooldown.objectives.surfaces import Trajectory
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.figures.surface import goal, surface_part

PAGE = {"title": "Surfaces", "icon": "landscape", "section": "Playgrounds", "place": 80}

START = ["sgd", "momentum", "nag", "adagrad", "rmsprop", "adam"]


@st.cache_resource(show_spinner="Tuning learning rates …", max_entries=12)
def _paths(name: str, chosen: tuple[str, ...], steps: int) -> Sequence[Trajectory]:
    return surfaces.trajectories(name, list(chosen), steps)


def _surface() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = addressed.choice(
            st.selectbox, "Surface", surfaces.names(), "surface", "beale", resets=("steps",), width=220
        )
        steps = addressed.number("Steps", "steps", surfaces.get(name).steps, 10, 2000, integer=True, width=160)
        narrow = addressed.flag(
            "Values below the map",
            "below",
            is_narrow(),
            help="Both charts use the full width, as they do in a narrow window unless this is off.",
        )
    chosen = addressed.choices(st.multiselect, "Optimizers", optimizers.names(), "optimizers", START)
    if not chosen:
        st.info("Choose at least one optimizer.")
        return
    surface, paths = surfaces.get(name), _paths(name, tuple(chosen), steps)
    st.caption(plain(f"{surface.name.capitalize()}: {surface.formula}"))
    reading = (
        f"Every optimizer starts at the circle, with the learning rate η that brings it {goal(surface)} in the fewest "
        f"steps. {'Darker' if _dark() else 'Lighter'} areas have lower values. The chart "
        f"{'below' if narrow else 'beside'} the map shows the value at each step. Press Play to animate the paths; "
        "click a name to hide that optimizer."
    )
    chart(
        surface_part(surface, paths, "below" if narrow else "beside", dark=_dark()),
        "surface",
        reading=reading,
        table=lambda: _table(paths),
    )


def _table(paths: Sequence[Trajectory]) -> Table:
    return Table(
        (
            Column("Optimizer"),
            Column("Learning rate", Form.READING),
            Column("Final value", Form.READING),
            Column("Reached at step", Form.COUNT),
        ),
        [(path.name, path.learning_rate, float(path.values[-1]), path.arrival) for path in paths],
    )


def _dark() -> bool:
    return st.context.theme.type == "dark"


st.title("Surfaces")
with errors_shown(), notes():
    _surface()
