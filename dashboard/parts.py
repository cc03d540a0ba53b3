"""The parts of pages: charts with captions and numbers, tables, commands, the experiment's header, error messages."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from cooldown.dashboard import addressed, data
from cooldown.dashboard.pages import page
from cooldown.objectives.data.uploaded import in_short
from cooldown.objectives.errors import InputError
from cooldown.objectives.plain_text import visible
from cooldown.objectives.trust import UntrustedModuleError
from cooldown.search.evidence.commands import AGAIN, command, options_of
from cooldown.search.evidence.numbers import MISSING, Form, counted, formatted, unparted
from cooldown.search.evidence.standing import winners_table
from cooldown.search.evidence.status import last_run, lifted, trials_asked
from cooldown.search.evidence.table import Table, ends_of
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import short, spaced
from cooldown.search.spec.recorded import continued_by_name, names_modules
from cooldown.storage import Status, Summary
from cooldown.storage.address import elsewhere
from cooldown.storage.terms import Terms

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_STYLED = 50_000
"""The largest table, in cells, whose numbers are formatted here; the browser formats those of larger ones."""

BROWSER_FORMATS = {
    Form.LOSS: "%.4f",
    Form.DIFFERENCE: "%+.4f",
    Form.SCORE: "%.3f",
    Form.SHARE: "%d\N{NO-BREAK SPACE}%%",
    Form.COUNT: "localized",
    Form.SECONDS: "%.1f",
}
"""Formats of numbers in a larger table; of a share, in percent."""

MOST_AT_ONCE = 24
"""Rows of a table up to which all are in sight, and on paper."""

SHORT_NOTES = 500
"""Characters up to which notes are shown unasked."""

BADGES: dict[Status, tuple[str, str, Literal["blue", "green", "orange", "red", "gray"]]] = {
    Status.QUEUED: ("queued", ":material/schedule:", "gray"),
    Status.RUNNING: ("running", ":material/play_circle:", "blue"),
    Status.OPEN: ("open", ":material/swap_horiz:", "blue"),
    Status.PAUSED: ("paused", ":material/pause_circle:", "orange"),
    Status.DONE: ("done", ":material/check_circle:", "green"),
    Status.STOPPED: ("stopped", ":material/stop_circle:", "orange"),
    Status.CANCELLED: ("cancelled", ":material/cancel:", "orange"),
    Status.INTERRUPTED: ("interrupted", ":material/pause_circle:", "orange"),
    Status.FAILED: ("failed", ":material/error:", "red"),
}


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error as a message; the stack trace goes to the log."""
    try:
        yield
    except InputError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            "This page cannot be shown. See the terminal in which the dashboard was started for details.",
            icon=":material/error:",
        )


@contextmanager
def notes() -> Iterator[None]:
    """Above what is drawn inside, say what the page's address asks for in vain."""
    place = st.container()
    with addressed.ignoring() as ignored:
        yield
    if ignored:
        said = ", ".join(f"{name} = “{value}”" for name, value in ignored.items())
        place.info(plain(f"Ignored in the address, as it is not available here: {said}."), icon=":material/link_off:")


def plain(text: str) -> str:
    """Text from a ledger, escaped so that Markdown shows it unchanged; no line ends between a number and its %."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!$:<>|~&])", r"\\\1", unparted(visible(text)))


def chart(figure: "go.Figure", name: str, *, reading: str, table: Callable[[], Table]) -> None:
    """A figure with a sentence on how to read it, and its numbers in a table. name: unique on its page.

    table: called when a reader opens the numbers: a page has up to seven tables, and few readers open one.
    """
    st.plotly_chart(figure, key=name, alt=reading, config={"displaylogo": False})
    st.caption(plain(reading))
    with st.expander("The numbers", key=f"{name} opened", on_change="rerun") as numbers:
        if numbers.open:
            rows(table(), key=f"{name} numbers", alt=reading)


def evidence(table: Table, key: str) -> None:
    """A table of evidence with its caption."""
    rows(table, key=key, alt=table.reading)
    st.caption(plain(" ".join(filter(None, (table.reading, table.note)))))


def rows(table: Table, *, key: str, alt: str, **options: Any) -> Any:
    """A table: formatted as in the terminal and the report, but sorted by value. options: of `st.dataframe`."""
    frame = table.frame()
    if len(frame) <= MOST_AT_ONCE:
        options.setdefault("height", "content")
    forms: dict[str, Form] = {}
    for column in table.columns:
        forms |= dict.fromkeys(ends_of(column) if column.ends else (column.title,), column.form)
        if column.form is Form.ARM:
            frame[column.title] = [short(str(arm)) for arm in frame[column.title]]
    numbers: dict[str, Any] = {title: partial(formatted, form=form) for title, form in forms.items() if form.is_number}
    shown: Any = frame
    if frame.size <= MOST_STYLED:
        shown = frame.style.format(numbers, na_rep=MISSING)
        if table.strong:
            places = sorted(table.strong)
            shown = shown.set_properties(subset=(frame.index[places], frame.columns), **{"font-weight": "bold"})
    else:
        # Styling that many cells takes seconds.
        for title, form in forms.items():
            if form is Form.SHARE:
                frame[title] = 100 * frame[title].astype(float)
        number = st.column_config.NumberColumn
        config = {title: number(format=BROWSER_FORMATS.get(forms[title], "%.4g")) for title in numbers}
        options["column_config"] = {**config, **options.get("column_config", {})}
    return st.dataframe(shown, hide_index=True, placeholder=MISSING, key=key, alt=alt, **options)


def arm_choice(arms: Sequence[str], first: str, *resets: str) -> str:
    """Choose one of the arms; a long name is shortened, and shown in full below. resets: as in `addressed.choice`."""
    arm = addressed.choice(st.selectbox, "Arm", arms, "arm", first, resets=resets, format_func=short)
    if short(arm) != arm:
        st.caption(plain(spaced(arm)))
    return arm


def terminal(verb: str, name: str, *options: str) -> None:
    """Show a command for this ledger, to run in a terminal."""
    st.code(command(verb, name, *options, db=elsewhere(data.where())), language="bash", wrap_lines=True)


def about_experiment(body: Callable[[Result], None], *, always: bool = False) -> None:
    """Show `body` for the chosen experiment, and update it every two seconds while the experiment runs; or always."""
    missing = st.session_state.get("missing experiment")
    if missing is not None:
        st.error(f"This ledger has no experiment “{plain(missing)}”.", icon=":material/error:")
        st.page_link(page("experiments"), label="All experiments", icon=":material/list:")
        return
    name = st.session_state.get("experiment")
    chosen = None if name is None else data.summary(name)
    if chosen is None:
        no_experiments()
        return
    running = chosen.status.under_way

    @st.fragment(run_every=data.LIVE if running or always else None)
    def part() -> None:
        with errors_shown():
            now = data.summary(chosen.name)
            if now is None:
                st.info(f"The experiment {plain(chosen.name)} has been deleted.")
                st.page_link(page("experiments"), label="All experiments", icon=":material/list:")
                return
            if running and not now.status.under_way:
                st.rerun()
            try:
                result = data.result(now)
            except UntrustedModuleError as error:
                _head(now)
                _outline(now, error)
            else:
                _head(now, result.record.message, options_of(lifted(result.record)))
                with notes():
                    body(result)

    part()


def people(terms: Terms) -> list[str]:
    """Whose an experiment is and how it is tagged, where that is set, as Markdown."""
    owner = [f"owner {plain(terms.owner)}"] if terms.owner else []
    return [*owner, *([f"tags {plain(', '.join(terms.tags))}"] if terms.tags else [])]


def no_experiments() -> None:
    """The message for an empty ledger, with the command that starts a first experiment."""
    st.info("This ledger has no experiments yet. Start one on the page New experiment or in a terminal:")
    st.page_link(page("new"), label="New experiment", icon=":material/add_circle:")
    terminal("compare", "digits")
    st.caption(f"Ledger: {plain(data.where())}")


def _outline(summary: Summary, error: UntrustedModuleError) -> None:
    """What can be shown of an experiment without the code that it names."""
    st.warning(plain(f"{error}."), icon=":material/shield:")
    st.caption("To see the answer and all evidence, trust this module: run `cooldown dashboard --trust`, or:")
    terminal("show", summary.name, "--trust")
    st.header("Winners", anchor=False)
    evidence(winners_table(summary, data.winners().get(summary.name, ())), "winners")


def _head(summary: Summary, message: str = "", needed: Sequence[str] = ()) -> None:
    """Status, task and progress. message: of the last run, if it failed. needed: the options without which it cannot
    be continued.
    """
    spec, total = summary.spec, trials_asked(summary)
    label, icon, colour = BADGES[summary.status]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=colour)
        st.caption(
            f"{plain(summary.name)} · task {plain(in_short(spec['task']))} · {counted(len(spec['arms']), 'arm')} · "
            f"{counted(spec['repeats'], 'repeat')} · {counted(spec['trials'], 'trial')} per study"
        )
    if about := people(summary.terms):
        st.caption(" · ".join(about))
    if summary.terms.notes:
        with st.expander("Notes", expanded=len(summary.terms.notes) <= SHORT_NOTES):
            # A line break of Markdown is two spaces and a line's end.
            st.markdown("  \n".join(map(plain, summary.terms.notes.split("\n"))))
    if summary.status is not Status.DONE:
        st.progress(min(summary.trials / total, 1.0), text=f"{summary.trials:,} of {total:,} trials")
    if not (summary.status.under_way or summary.status is Status.DONE):
        if continued_by_name(summary):
            st.caption("Continue in a terminal:")
            terminal("resume", summary.name, *needed, *(["--trust"] if names_modules(spec) else []))
        else:
            st.caption(f"To continue, {AGAIN}.")
    if message:
        say = st.error if summary.status is Status.FAILED else st.info
        say(plain(last_run(summary.status, message)))
