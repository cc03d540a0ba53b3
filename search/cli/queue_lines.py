"""What the commands about the queue print: its experiments as a table and as JSON, and how one of them stands."""

import shlex
from collections.abc import Sequence

from cooldown.search.cli.tables import Printed
from cooldown.search.evidence.commands import command
from cooldown.search.evidence.numbers import Form, counted
from cooldown.search.evidence.standing import took
from cooldown.search.evidence.status import WILL, place, trials_asked
from cooldown.search.evidence.table import Column, Table
from cooldown.search.spec.recorded import check_outline, names_modules
from cooldown.storage import Status, Summary, UnreadableError


def table(listed: Sequence[Summary]) -> Printed:
    """The table of `cooldown queue`. listed: from `experiments.queued`."""
    columns = (
        Column("Name"),
        Column("Task"),
        Column("Status"),
        Column("Place", Form.COUNT),
        Column("Priority", Form.COUNT),
        # "3/24" is text, but is aligned like a number.
        Column("Trials", Form.COUNT),
        Column("Ran"),
        Column("Owner", wide=True),
        Column("Tags", wide=True),
    )
    rows = [
        (
            summary.name,
            str(summary.spec.get("task")),
            _status(summary),
            place(summary, listed),
            summary.terms.priority,
            _trials(summary),
            took(summary),
            summary.terms.owner or None,
            ", ".join(summary.terms.tags) or None,
        )
        for summary in listed
    ]
    return Printed(Table(columns, rows))


def standing(summary: Summary, listed: Sequence[Summary], db: str | None) -> str:
    """How an experiment stands, and where to look. db: the ledger's address, None where it need not be named."""
    name, position = summary.name, place(summary, listed)
    trust = ["--trust"] if _is_sound(summary) and names_modules(summary.spec) else []
    look = f"Look: {command('show', name, *trust, db=db)}"
    if summary.status is Status.RUNNING:
        asked = summary.queue.requested
        return f"{name} is running{f': {WILL[asked]}' if asked else ''}. {look}"
    if summary.status is Status.OPEN:
        return f"{name} is open: training loops ask for its runs and report the results. {look}"
    if position is not None:
        before = "next" if position == 1 else f"after {counted(position - 1, 'other')}"
        worker = shlex.join(["cooldown", "worker", *trust, *(["--db", db] if db else [])])
        return f"{name} is queued, {before}. Workers run it: {worker}\n{look}"
    if summary.status is Status.DONE:
        return f"{name} is done. {look}"
    return f"{name} is {summary.status.value}. To continue it: {command('resume', name, *trust, db=db)}"


def _status(summary: Summary) -> str:
    """The status, and what it is asked for."""
    asked = summary.queue.requested
    return summary.status.value if asked is None else f"{summary.status.value}, to {asked.value}"


def _trials(summary: Summary) -> str | None:
    """How many there are, of how many; None where its spec does not say."""
    return f"{summary.trials:,}/{trials_asked(summary):,}" if _is_sound(summary) else None


def _is_sound(summary: Summary) -> bool:
    """Whether its spec has what a list shows: it may have been edited."""
    try:
        check_outline(summary)
    except UnreadableError:
        return False
    return True
