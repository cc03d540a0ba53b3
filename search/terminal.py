"""What the terminal shows: the live display of a run, the answer, and the tables of the other commands."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from objectives.hyperparameters import Hyperparameter, Unit
from search.experiments import Report, Result
from search.progress import Progress
from search.summary import Alarm, ArmSummary, alarms, arm_summaries
from search.verdict import Verdict

WORDS = {"a_better": "better", "b_better": "worse", "tie": "tie", "undecided": "undecided"}


def _table(*columns: str, title: str | None = None) -> Table:
    """A borderless table; a column whose name starts with `>` is set flush right."""
    table = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return table


def duration(seconds: float) -> str:
    """`75` as `1:15`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


@contextmanager
def live(console: Console) -> Iterator[Report]:
    """A report function that keeps a display of the run up to date on `console`; plain lines without a terminal."""
    if not console.is_terminal:
        yield _plain(console)
        return
    state: dict[str, Progress] = {}

    def render() -> RenderableType:
        return _progress(state["now"]) if state else Text("")

    with Live(get_renderable=render, console=console, refresh_per_second=4, transient=True) as display:

        def report(progress: Progress) -> None:
            state["now"] = progress
            if progress.work == progress.total:
                display.refresh()

        yield report


def _plain(console: Console) -> Report:
    """Without a terminal: a line at the start, at every tenth, and at the end."""
    shown = -1

    def report(progress: Progress) -> None:
        nonlocal shown
        tenth = int(10 * progress.work / progress.total)
        if tenth > shown:
            shown = tenth
            left = progress.seconds_left
            suffix = f", about {duration(left)} left" if left and progress.work < progress.total else ""
            console.print(f"{progress.name}: {progress.work / progress.total:.0%}{suffix}", highlight=False)

    return report


def _progress(progress: Progress) -> RenderableType:
    table = _table("Arm", "", ">Trials", ">Best val. loss", ">Studies done")
    for arm in progress.arms:
        best = "–" if arm.best is None else f"{arm.best:.4f}"
        table.add_row(
            escape(arm.arm),
            ProgressBar(total=arm.trials_total, completed=arm.trials, width=16),
            f"{arm.trials}/{arm.trials_total}",
            best,
            f"{arm.studies}/{arm.studies_total}",
        )
    if progress.compile_seconds is None and progress.work < progress.total:
        foot = f"starting the workers and compiling (once per machine) … {time.monotonic() - progress.started:.0f} s"
    else:
        left = progress.seconds_left
        remaining = "…" if left is None else f"about {duration(left)} left"
        compiled = progress.compile_seconds or 0
        foot = f"{progress.work / progress.total:.0%} of the training · {remaining} · compiled in {compiled:.1f} s"
    return Group(Text(progress.name, style="bold"), table, Text(foot, style="dim"))


def answer(console: Console, result: Result) -> None:
    """The answer: one sentence, the arms, the pairs, the alarms."""
    record, found = result.record, result.verdicts
    console.print(Text(result.answer, style="bold"), highlight=False)
    if found:
        console.print(Text(f"{found[0].why[0].upper()}{found[0].why[1:]}."), highlight=False)
    console.print()
    console.print(_arms(arm_summaries(record)), highlight=False)
    if found:
        console.print()
        console.print(_pairs(found), highlight=False)
        if any(verdict.corrected for verdict in found):
            console.print("* " + next(verdict.why for verdict in found if verdict.corrected), highlight=False)
    for alarm in alarms(record):
        console.print(_alarm(alarm), highlight=False)
    console.print()
    if record.message:
        console.print(f"The last run failed: {escape(record.message)}", highlight=False)
    if result.status.value in ("interrupted", "failed"):
        console.print(f"Not finished: go on with `cooldown resume {escape(record.name)}`.", highlight=False)
    console.print(
        f"Experiment {record.name} ({result.status.value}) · every trial: cooldown trials {record.name}",
        style="dim",
        highlight=False,
        markup=False,
    )


def _arms(arms: Sequence[ArmSummary]) -> Table:
    table = _table("Arm", ">Test loss", ">± repeats", ">Score", ">Val. loss", ">Diverged", ">Repeats")
    for arm in sorted(arms, key=lambda arm: float("inf") if arm.test_loss is None else arm.test_loss):
        table.add_row(
            escape(arm.arm),
            _digits(arm.test_loss),
            _digits(arm.spread),
            _digits(arm.test_score, ".3f"),
            _digits(arm.validation_loss),
            f"{arm.diverged:.0%}",
            str(arm.evaluated),
        )
    return table


def _pairs(verdicts: Sequence[Verdict]) -> Table:
    table = _table("Pair", ">Difference", ">95 % interval", "First is")
    for verdict in verdicts:
        interval = "" if verdict.low is None else f"[{verdict.low:+.4f}, {verdict.high:+.4f}]"
        table.add_row(
            f"{escape(verdict.a)} – {escape(verdict.b)}",
            _digits(verdict.difference, "+.4f"),
            escape(interval),
            f"{WORDS[verdict.verdict]}{'*' if verdict.corrected else ''}",
            style="bold" if verdict.primary else "",
        )
    return table


def _alarm(alarm: Alarm) -> Text:
    return Text(f"\nAlarm · {alarm.arm}: {alarm.message}", style="yellow")


def experiments(summaries: Sequence[Any]) -> Table:
    """The table of `cooldown list`."""
    table = _table("Name", "Task", ">Arms", ">Repeats", ">Trials", "Status", "Started")
    for summary in summaries:
        spec = summary.spec
        total = len(spec["arms"]) * spec["repeats"] * spec["trials"]
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(summary.created_at))
        table.add_row(
            escape(summary.name),
            escape(spec["task"]),
            str(len(spec["arms"])),
            str(spec["repeats"]),
            f"{summary.trials}/{total}",
            summary.status.value,
            started,
        )
    return table


def trials(rows: Sequence[dict[str, Any]]) -> Table:
    """The table of `cooldown trials`: one line per trial, its parameters in words."""
    table = _table("Arm", ">Rep.", ">Trial", ">Val. loss", ">Finalist", "Parameters")
    for row in rows:
        parameters = ", ".join(
            f"{name.rpartition('.')[2]} {value:.3g}" if isinstance(value, int | float) else f"{name} {value}"
            for name, value in row.items()
            if "." in name
        )
        table.add_row(
            escape(row["arm"]),
            str(row["repeat"]),
            str(row["trial"]),
            _digits(row["validation_loss"]),
            _digits(row["finalist_loss"]),
            escape(parameters),
        )
    return table


def catalog(kind: str, entries: Sequence[dict[str, Any]]) -> Table:
    """One section of `cooldown catalog`."""
    table = _table(kind.capitalize(), "What it is")
    for entry in entries:
        table.add_row(escape(entry["name"]), escape(entry["about"]))
    return table


def hyperparameter_line(hyperparameter: Hyperparameter) -> str:
    """A hyperparameter in one phrase: name, default, range."""
    unit = f" {hyperparameter.unit.value}" if hyperparameter.unit is not Unit.NONE else ""
    share = " of the run" if hyperparameter.unit is not Unit.NONE else ""
    searched = f"{hyperparameter.low:g}…{hyperparameter.high:g}{share}" if hyperparameter.searched else "fixed"
    return f"{hyperparameter.name} {hyperparameter.default:g}{unit} ({searched})"


def _digits(value: float | None, form: str = ".4f") -> str:
    return "–" if value is None else format(value, form)
