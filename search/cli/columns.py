"""What commands print of a task's table: how each column was read, and which may not belong to it."""

from typing import Any

from rich.console import Console
from rich.text import Text

from cooldown.objectives.tasks import Task
from cooldown.search.cli.screen import ERR


def show_columns(console: Console, task: Task) -> None:
    """Print how a task's table was read, and what is doubtful about it."""
    from cooldown.search.cli.tables import Printed
    from cooldown.search.evidence.columns import columns_table, heading

    console.print(Text(heading(task), style="bold"))
    table = columns_table(task)
    if len(table):
        console.print()
        console.print(Printed(table))
        if table.total is not None:
            console.print(Text(f"\n{len(table)} of {table.total} rows; --json has all columns.", style="dim"))
    show_doubts(console, task)


def show_doubts(console: Console, task: Task) -> None:
    """Print a warning for each column that may not belong to the task's table."""
    from cooldown.search.evidence.columns import doubts

    for sentence in doubts(task):
        console.print(Text(f"\nWarning: {sentence}", style="yellow"))


def told(task: Task, *, quiet: bool) -> dict[str, Any]:
    """Print on standard error how a task's table was read, if it comes from one: with `quiet`, only the warnings.
    Returns what the command's JSON document says of it.
    """
    from cooldown.search.evidence.columns import is_table, table_document

    if not is_table(task):
        return {}
    (show_doubts if quiet else show_columns)(ERR, task)
    if not quiet:
        ERR.print()
    return {"table": table_document(task)}
