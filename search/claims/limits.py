"""Why a claim does not apply to a task."""

import numpy as np

from cooldown.objectives.tasks import ArrayTask, Task
from cooldown.search.evidence.numbers import counted, percent

SOME = 1000
"""Rows of which some hundred are a large batch."""

LARGE = 2000
"""Rows from which batches can grow to many times their first size."""

DEEP = 6
"""Hidden layers from which on a network is deep; five are not, in the paper on gradient noise."""

MOSTLY_ZERO = 0.7
"""The share of zeros from which on features count as sparse."""


def of_networks(task: Task) -> str:
    """For a claim about strategies or weights of a network with hidden layers."""
    if not isinstance(task, ArrayTask):
        return "it is about a multilayer perceptron, and this task has a model of its own"
    return "" if task.hidden else "it is about hidden layers, and the network of this task has none"


def of_arrays(task: Task) -> str:
    """For a claim about rows and how they are ordered."""
    return "" if isinstance(task, ArrayTask) else "it is about rows of a table, and this task has a model of its own"


def of_large(task: Task) -> str:
    """For a claim about growing batches."""
    few = f"a tenth of its {task.n_rows:,} rows leaves a batch little room to grow; it takes {LARGE:,} rows or more"
    return few if task.n_rows < LARGE else ""


def of_sparse(task: Task) -> str:
    """For a claim about classifying sparse rows."""
    if not isinstance(task, ArrayTask) or task.kind != "classification" or task.categorical:
        return "it is about classifying sparse rows of numbers"
    X, _ = task.data
    zeros = 1 - np.count_nonzero(X.data if task.is_sparse else X) / np.prod(X.shape)
    return "" if zeros >= MOSTLY_ZERO else f"its features are not sparse: {percent(zeros)} of them are zero"


def of_deep_networks(task: Task) -> str:
    """For a claim about networks that are deep."""
    if why_not := of_networks(task):
        return why_not
    depth = len(task.hidden) if isinstance(task, ArrayTask) else 0
    return (
        ""
        if depth >= DEEP
        else f"it is about deep networks, and that of this task has {counted(depth, 'hidden layer')}"
    )


def of_classifiers(task: Task) -> str:
    """For a claim about networks with hidden layers that classify."""
    if why_not := of_networks(task):
        return why_not
    return "" if task.kind == "classification" else "it is about a classification"


def of_large_batches(task: Task) -> str:
    """For a claim about batches of more than a hundred rows."""
    if why_not := of_networks(task):
        return why_not
    few = f"its {task.n_rows:,} rows are too few for large batches; it takes {SOME:,} or more"
    return few if task.n_rows < SOME else ""
