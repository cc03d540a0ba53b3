"""The live display of a run: the arms' progress, and the remaining time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as RichTable
from rich.text import Text

from cooldown.search.evidence.numbers import Form, formatted, percent
from cooldown.search.experiments.running import Report
from cooldown.search.spec.arms import short
from cooldown.search.tuning.progress import Progress

WAITING = "waiting for the ledger, which another program has locked or whose server does not answer …"


def duration(seconds: float) -> str:
    """`75` as `1:15`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


@contextmanager
def live(console: Console) -> Iterator[Report]:
    """A report function that updates a live display on `console`, or prints plain lines if it is not a terminal."""
    if not console.is_terminal:
        yield plain(console)
        return
    state: dict[str, Progress] = {}

    def render() -> RenderableType:
        return progress_table(state["now"]) if state else Text("")

    with Live(get_renderable=render, console=console, refresh_per_second=4, transient=True) as display:

        def report(progress: Progress) -> None:
            state["now"] = progress
            if progress.done:
                display.refresh()

        yield report


def plain(console: Console) -> Report:
    """A report function for where there is no terminal: a line for every 10 % of an experiment, and one when the ledger
    is locked.
    """
    shown: dict[str, int] = {}
    waited = False

    def report(progress: Progress) -> None:
        nonlocal waited
        if progress.waiting and not waited:
            console.print(f"{progress.name}: {WAITING}")
        waited = progress.waiting
        tenth = int(10 * progress.work / progress.total)
        if tenth > shown.get(progress.name, -1):
            shown[progress.name] = tenth
            left = progress.seconds_left
            suffix = f", about {duration(left)} left" if left and not progress.done else ""
            console.print(f"{progress.name}: {percent(progress.work / progress.total)}{suffix}")

    return report


def _until(progress: Progress) -> str:
    """How far an experiment that goes on until it answers has planned, and may go."""
    spec = progress.spec
    return f" for {spec.repeats} repeats, of up to {spec.looks[-1]} until the answer" if spec.looks else ""


def progress_table(progress: Progress) -> Group:
    """The arms' progress, and the remaining time."""
    table = RichTable(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("Arm", "", "Trials", "Best val. loss", "Studies done"):
        table.add_column(title, justify="right" if title not in ("Arm", "") else "left", no_wrap=title == "Arm")
    for arm in progress.arms:
        table.add_row(
            short(arm.arm),
            ProgressBar(total=arm.trials_total, completed=arm.trials, width=16),
            f"{arm.trials:,}/{arm.trials_total:,}",
            formatted(arm.best, Form.LOSS),
            f"{arm.studies}/{arm.studies_total}",
        )
    if progress.waiting:
        foot = WAITING
    elif progress.compile_seconds is None and not progress.done:
        foot = f"starting the workers and compiling (once per machine) … {time.monotonic() - progress.started:.0f} s"
    else:
        left = progress.seconds_left
        remaining = "…" if left is None else f"about {duration(left)} left"
        compiled = progress.compile_seconds or 0
        foot = f"{percent(progress.work / progress.total)} of the training{_until(progress)} · {remaining}"
        foot += f" · compiled in {compiled:.1f} s"
    return Group(Text(progress.name, style="bold"), table, Text(foot, style="dim"))
