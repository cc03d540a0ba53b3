"""What pages are made of: charts with their words and numbers, tables, commands, the experiment, errors in words."""

import logging
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from cooldown.dashboard import data
from cooldown.dashboard.pages import page
from cooldown.objectives.errors import InputError
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import short
from cooldown.storage import Status
from cooldown.storage.address import DEFAULT_URL

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

ARMS = ("Arm", "First", "Second")
"""The columns of a table that hold arms."""

LOSSES = ("loss", "difference", "low", "high", "band", "best")
"""Words in the titles of columns that hold losses, their differences and the ends of their intervals."""

MOST_STYLED = 50_000
"""Cells of a table up to which each number is set as a reader wants it; of a larger one by the browser."""

BADGES: dict[Status, tuple[str, str, Literal["blue", "green", "orange", "red"]]] = {
    Status.RUNNING: ("running", ":material/play_circle:", "blue"),
    Status.DONE: ("done", ":material/check_circle:", "green"),
    Status.INTERRUPTED: ("interrupted", ":material/pause_circle:", "orange"),
    Status.FAILED: ("failed", ":material/error:", "red"),
}


@contextmanager
def complain() -> Iterator[None]:
    """Tell what went wrong in words: a reader has no use for a stack trace, which goes to the log."""
    try:
        yield
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            "This page could not be shown. What went wrong stands where the dashboard was started.",
            icon=":material/error:",
        )


def plain(text: str) -> str:
    """Text from a ledger as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!$:<>|~&])", r"\\\1", text)


def chart(
    figure: "go.Figure",
    name: str,
    *,
    reading: str,
    table: "Callable[[], pandas.DataFrame]",
    forms: Mapping[str, Callable[[float], str]] | None = None,
) -> None:
    """A figure with a sentence on how to read it, and its numbers in a table. name: unique on its page.

    table: asked for the numbers when a reader opens them; a page has up to seven, which few look at. forms: as of
    `rows`.
    """
    st.plotly_chart(figure, key=name, alt=reading, config={"displaylogo": False})
    st.caption(plain(reading))
    with st.expander("The numbers", key=f"{name} opened", on_change="rerun") as numbers:
        if numbers.open:
            rows(table(), key=f"{name} numbers", alt=reading, forms=forms)


def rows(
    frame: "pandas.DataFrame",
    *,
    key: str,
    alt: str,
    forms: Mapping[str, Callable[[float], str]] | None = None,
    as_named: bool = False,
    **options: Any,
) -> Any:
    """A table: titles with a capital, losses with four decimals, large counts shortened, "–" for what is missing.

    forms: how the numbers of some columns, by title, are set instead. as_named: leave the titles as they are, which
    are those of a file. options: of `st.dataframe`.
    """
    from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

    frame = frame.copy() if as_named else frame.rename(columns=_title)
    for name in [each for each in ARMS if each in frame]:
        frame[name] = [short(str(arm)) for arm in frame[name]]
    titles = [name for name in frame if is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])]
    numbers = {str(name): _form(str(name), frame[name]) for name in titles} | dict(forms or {})
    shown: Any = frame
    if frame.size <= MOST_STYLED:
        shown = frame.style.format({name: partial(_set, form=form) for name, form in numbers.items()}, na_rep="–")
    else:
        column = st.column_config.NumberColumn
        floats = [str(name) for name in titles if is_float_dtype(frame[name])]
        config = {name: column(format="%.4f" if _is_loss(name) else "%.4g") for name in floats}
        options["column_config"] = {**config, **options.get("column_config", {})}
    return st.dataframe(shown, hide_index=True, placeholder="–", key=key, alt=alt, **options)


def percent(value: float) -> str:
    """A share."""
    return f"{value:.0%}"


def decimals(value: float) -> str:
    """As losses are told, everywhere in the same way."""
    return f"{value:,.4f}"


def count(value: float) -> str:
    """A whole number; from a million on with four digits of it."""
    size = abs(value)
    for unit, name in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if size >= unit:
            return f"{value / unit:.4g} {name}"
    return f"{value:,.0f}"


def signed(value: float, form: str = "+.4f") -> str:
    """A difference, with its sign."""
    return format(value, form).replace("-", "−")


def _title(name: str) -> str:
    # The names of hyperparameters are written as one types them.
    return name if "." in name else f"{name[:1].upper()}{name[1:]}"


def _is_loss(name: str) -> bool:
    return any(word in LOSSES for word in name.lower().split())


def _form(name: str, column: "pandas.Series[Any]") -> Callable[[float], str]:
    """How the numbers of a column are set: all of them alike, so that they can be compared."""
    values = column[column.abs() < float("inf")].abs()
    if column.dtype.kind in "iu":
        return count
    if _is_loss(name) and values.max() >= 1e-3:
        return decimals
    if (values % 1 == 0).all() or values.min() >= 1e3:
        return count
    if values.max() < 1e3 and not ((values > 0) & (values < 1e-3)).any():
        return decimals
    return "{:,.1f}".format if values.min() >= 10 else "{:.4g}".format


def _set(value: Any, form: Callable[[float], str]) -> str:
    from pandas import isna

    if isna(value):
        return "–"
    if abs(value) == float("inf"):
        return "∞" if value > 0 else "−∞"
    return re.sub(r"^-", "−", form(value))


def arms_choice(label: str, arms: Sequence[str], first: str, key: str) -> str:
    """Choose one of the arms; a long name is shortened, and stands as a whole below."""
    arm: str = st.selectbox(label, arms, index=list(arms).index(first), key=key, format_func=short)
    if short(arm) != arm:
        st.caption(plain(arm.replace(",", ", ").replace("+", " + ")))
    return arm


def command(*words: str) -> str:
    """What to type in a terminal for the same ledger, quoted as a shell wants it."""
    url = data.where()
    # An address of another kind may hold a password.
    where = ["--db", url] if url != DEFAULT_URL and url.startswith("sqlite:") else []
    return shlex.join(["cooldown", *words, *where])


def terminal(*words: str) -> None:
    """Show what to type."""
    st.code(command(*words), language="bash", wrap_lines=True)


def counted(number: int, thing: str) -> str:
    """`1 arm`, `2 arms`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def about_experiment(body: Callable[[Result], None]) -> None:
    """Show `body` of the chosen experiment, again every other second while it runs; without one, what to type."""
    name = st.session_state.get("experiment")
    missing, instead = st.session_state.get("not there", (None, None))
    if missing is not None and instead == name:
        st.warning(
            f"There is no experiment called {plain(missing)} in this ledger. Shown is the newest, “{plain(name)}”.",
            icon=":material/warning:",
        )
    chosen = None if name is None else data.summary(name)
    if chosen is None:
        no_experiments()
        return
    running = chosen.status is Status.RUNNING

    @st.fragment(run_every=data.LIVE if running else None)
    def part() -> None:
        with complain():
            now = data.summary(chosen.name)
            if now is None:
                st.info(f"The experiment {plain(chosen.name)} has been deleted.")
                st.page_link(page("experiments"), label="All experiments", icon=":material/list:")
                return
            if running and now.status is not Status.RUNNING:
                st.rerun()
            found = data.result(now)
            _head(found, now.trials)
            body(found)

    part()


def no_experiments() -> None:
    """What a reader sees first, and what to do about it."""
    st.info("There are no experiments in this ledger yet. Start one in a terminal, and it appears here:")
    terminal("compare", "digits")
    st.caption(f"The ledger is {plain(data.where())}.")


def _head(found: Result, trials: int) -> None:
    spec = found.record.spec
    total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
    label, icon, colour = BADGES[found.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=colour)
        st.caption(
            f"{plain(found.name)} · task {plain(spec['task'])} · {counted(len(spec['arms']), 'arm')} · "
            f"{counted(spec['repeats'], 'repeat')} · {counted(spec['trials'], 'trial')} a study"
        )
    if found.status is not Status.DONE:
        st.progress(min(trials / total, 1.0), text=f"{trials:,} of {total:,} trials")
    if found.status in (Status.INTERRUPTED, Status.FAILED):
        st.caption("Go on in a terminal:")
        terminal("resume", found.name)
    if found.record.message:
        st.error(f"The last run failed: {plain(found.record.message)}")
