"""A run in a notebook: it shows its progress by default, and an interrupt in one line."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.jupyter import JupyterMixin

from cooldown.search.experiments.live import progress_table
from cooldown.search.experiments.running import Report
from cooldown.search.tuning.progress import Progress
from cooldown.storage.address import shown

PAUSE = 0.5
"""Seconds between two updates of the display: each is a message to the browser."""


class Interrupted(KeyboardInterrupt):
    """A run that its user has stopped: what it has finished is in the ledger. As text, how to continue."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback, which has nothing to say here."""
        return [str(self)]


@contextmanager
def interruptible(name: str, db: str | PathLike[str] | None) -> Iterator[None]:
    """In here, an interrupt says how the experiment `name` is continued."""
    try:
        yield
    except KeyboardInterrupt:
        ledger = "" if db is None else f", db={shown(str(db))!r}"
        raise Interrupted(
            f"Interrupted. Finished work is kept; continue with the same call, or with resume({name!r}{ledger})"
        ) from None


@contextmanager
def reporting(report: Report | None) -> Iterator[Report]:
    """`report`; without one the display of a notebook, and nothing elsewhere."""
    if report is not None:
        yield report
    elif Console().is_jupyter:
        yield _display()
    else:
        yield lambda _: None


class _Shown(JupyterMixin):
    """Progress, as a notebook renders it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield progress_table(self._progress)


def _display() -> Report:
    """A report function that updates one output of the running cell."""
    from IPython.display import display

    handle: Any = None
    updated = 0.0

    def report(progress: Progress) -> None:
        nonlocal handle, updated
        now = time.monotonic()
        if handle is None:
            handle = display(_Shown(progress), display_id=True)
        elif progress.done or now - updated >= PAUSE:
            handle.update(_Shown(progress))
        else:
            return
        updated = now

    return report
