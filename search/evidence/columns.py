"""How a user's table was read: one row per column, and what is doubtful about some."""

import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from cooldown.objectives.data.reading.summary import ReadColumn
from cooldown.objectives.tasks import ArrayTask, Task
from cooldown.search.evidence.numbers import Form, counted
from cooldown.search.evidence.table import Column, Table

MANY = 20
"""Columns from which like ones that stand together are told in one row."""

MOST = 40
"""Rows that a table of columns has at most."""

WIDTH = 28
"""Characters of a column's name that are shown."""

REMEDIES = {
    "identifier": "It says nothing about new rows",
    "constant": "It has no information",
    "leak": "If it is known only afterwards, it does not belong to the table",
}


def is_table(task: Task) -> bool:
    """Whether a task comes from a table."""
    return isinstance(task, ArrayTask) and bool(task.columns)


def heading(task: Task) -> str:
    """What a task is, in one sentence."""
    rows = counted(task.n_rows, "row") if task.test_rows is None else counted(task.n_rows - len(task.test_rows), "row")
    own = "" if task.test_rows is None else f" and {counted(len(task.test_rows), 'test row')}"
    target = next((f" of {column.name}" for column in _columns(task) if column.role == "target"), "")
    return f"{task.name}: {task.kind}{target}, {rows}{own}."


def columns_table(task: Task) -> Table:
    """How each column of the task's table was read. Where there are many, like ones that stand together are one row."""
    columns = _columns(task)
    groups = [[column] for column in columns]
    if len(columns) > MANY:
        groups = [list(group) for _, group in groupby(columns, key=_likeness)]
    rows = [(_names(group), _holds(group[0]), group[0].how, _missing(group[0])) for group in groups]
    table = Table(
        (Column("Column"), Column("Holds"), Column("Read as", prose=True), Column("Missing", Form.COUNT)),
        rows,
        "How each column was read, and how many of its cells are missing.",
    )
    if len(rows) <= MOST:
        return table
    return table.head(MOST)


def doubts(task: Task) -> list[str]:
    """A sentence with the option to leave it out for each column that may not belong to the table, and one on test rows
    that are rows to train on.
    """
    if not isinstance(task, ArrayTask) or not task.columns:
        return []
    sentences = [
        f"{each.column} {each.why}. {REMEDIES[each.kind]}; --drop {shlex.quote(each.column)} leaves it out."
        for each in task.doubts
    ]
    if n := task.n_repeated:
        are = "is a row" if n == 1 else "are rows"
        sentences.append(
            f"{n} of {counted(task.n_test, 'test row')} {are} to train on, too, with the same features and target. "
            "What is measured on such rows says nothing about new ones; take them out of one of the two files."
        )
    return sentences


def table_document(task: Task) -> dict[str, Any]:
    """The same as a JSON-ready document."""
    n_test = 0 if task.test_rows is None else len(task.test_rows)
    return {
        "task": task.name,
        "kind": task.kind,
        "rows": task.n_rows - n_test,
        "test_rows": n_test,
        "repeated_test_rows": task.n_repeated if isinstance(task, ArrayTask) else 0,
        "columns": [column.to_json() for column in _columns(task)],
        "doubts": [
            {"column": each.column, "kind": each.kind, "why": each.why}
            for each in (task.doubts if isinstance(task, ArrayTask) else ())
        ],
    }


def _columns(task: Task) -> Sequence[ReadColumn]:
    return task.columns if isinstance(task, ArrayTask) else ()


def _likeness(column: ReadColumn) -> tuple[Any, ...]:
    alone = column.name if column.role in ("target", "weights") else ""
    return column.role, column.kind, column.how, column.missing, alone


def _names(group: Sequence[ReadColumn]) -> str:
    first, last = (_short(column.name) for column in (group[0], group[-1]))
    return first if len(group) == 1 else f"{first} … {last} ({len(group)})"


def _short(name: str) -> str:
    return name if len(name) <= WIDTH else f"{name[: WIDTH - 1]}…"


def _holds(column: ReadColumn) -> str:
    if column.role == "left out":
        return "left out"
    return column.kind if column.role == "feature" else f"{column.role}, {column.kind}"


def _missing(column: ReadColumn) -> int | None:
    return None if column.role == "left out" else column.missing
