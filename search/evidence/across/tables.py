"""The tables of a comparison over tasks: the question task by task, all arms task by task, and the arms' ranks."""

from collections.abc import Sequence

import numpy as np

from cooldown.search.evidence.across.measured import LeftOut
from cooldown.search.evidence.across.question import Across, OnTask
from cooldown.search.evidence.across.ranking import Ranking
from cooldown.search.evidence.numbers import Form, counted, formatted, percent
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.wording import lead
from cooldown.search.spec.arms import short
from cooldown.search.statistics.friedman import alike

POOLED_ALL = "The mean over tasks includes every task, even if its answer has alarms."

ALL_TASKS = "All tasks"


def question_table(across: Across) -> Table:
    """A row for each task, and the last for all of them."""
    a, b = across.sides
    columns = (
        Column("Task"),
        Column("Leader", Form.ARM),
        Column("Loss ratio", Form.RATIO),
        Column("Interval", Form.RATIO, ends=True),
        Column("Lower in", about="Lower in: repeats (for all tasks: tasks) in which the leader has the lower loss."),
        Column(
            "Alarms",
            prose=True,
            about="Alarms: reasons to distrust the task's own answer about these arms; – if not known.",
        ),
        Column("First arm", Form.ARM, wide=True),
        Column("Second arm", Form.ARM, wide=True),
        Column("Kind", wide=True),
        Column("Rows", Form.COUNT, wide=True, about="Rows: training rows."),
        Column("Experiment", wide=True),
    )
    rows = [_row(each) for each in across.tasks]
    pooled, effects = across.pooled, across.effects
    if pooled is None or effects is None:
        return Table(columns, rows, _reading(a, b))
    said = lead(pooled)
    ahead = f"{max(pooled.wins, pooled.b_wins)} of {pooled.repeats}"
    rows.append(
        (ALL_TASKS, said and said.leader, pooled.ratio, (pooled.low, pooled.high), ahead, None, a, b, *[None] * 3)
    )
    between = f"{ALL_TASKS}: mean over tasks with random effects (DerSimonian–Laird, Hartung–Knapp)"
    if effects.spread_low is not None and effects.spread_high is not None:
        low, high = (formatted(float(np.exp(end)), Form.RATIO) for end in (effects.spread_low, effects.spread_high))
        between += f"; 95 % prediction interval for one more such task: {low} to {high}"
    inconsistency = f"{percent(effects.inconsistency)} of the variation is between tasks (I²)."
    return Table(
        columns, rows, f"{_reading(a, b)} {between}; {inconsistency}", frozenset({len(rows) - 1}), note=POOLED_ALL
    )


def in_words(alarms: Sequence[tuple[str, str]] | None) -> str | None:
    """Alarms by kind and arm, `boundary: adam; references`; None where they are not known."""
    if alarms is None:
        return None
    return "; ".join(f"{kind}: {short(arm)}" if arm else kind for kind, arm in dict.fromkeys(alarms)) or "none"


def _reading(a: str, b: str) -> str:
    return f"Test loss of tuned {a} / tuned {b}, with its 95 % interval: below 1 where {a} is better."


def _row(each: OnTask) -> tuple[object, ...]:
    verdict, said = each.verdict, lead(each.verdict)
    ahead = f"{max(verdict.wins, verdict.b_wins)} of {verdict.repeats}"
    return (
        *(each.of.task, said and said.leader, verdict.ratio, (verdict.low, verdict.high), ahead),
        *(in_words(each.alarms), verdict.a, verdict.b, each.of.kind, each.of.rows, each.of.experiment),
    )


def arms_table(ranking: Ranking) -> Table:
    """Every arm on every task: its loss as a multiple of the lowest one there."""
    best = ranking.losses.min(axis=1, keepdims=True) if len(ranking.tasks) else ranking.losses
    rows = [(each.task, *map(float, row)) for each, row in zip(ranking.tasks, ranking.losses / best, strict=True)]
    return Table(
        (Column("Task"), *(Column(arm, Form.RATIO) for arm in ranking.arms)),
        rows,
        "Test loss of each arm as a multiple of the lowest on the task.",
    )


def ranks_table(ranking: Ranking) -> Table:
    """Every arm over all tasks, the best rank first."""
    columns = (
        Column("Arm", Form.ARM),
        Column("Mean rank", Form.WIDTH),
        Column("Best on", Form.COUNT, "tasks"),
        Column(
            "Loss ratio", Form.RATIO, about="Loss ratio: to the lowest loss on each task, geometric mean over tasks."
        ),
    )
    found = ranking.ranked
    if found is None:
        return Table(columns, [], "Ranks need at least two tasks that have the same arms.")
    ratios = np.exp(np.log(ranking.losses / ranking.losses.min(axis=1, keepdims=True)).mean(axis=0))
    rows = [
        (ranking.arms[place], float(found.means[place]), int((found.ranks[:, place] < 2).sum()), float(ratios[place]))
        for place in np.argsort(found.means, kind="stable")
    ]
    return Table(columns, rows, _told_apart(ranking))


def _told_apart(ranking: Ranking) -> str:
    found = ranking.ranked
    if found is None:
        return ""
    many = counted(len(ranking.tasks), "task")
    difference = formatted(found.critical_difference, Form.WIDTH)
    groups = alike(found.means, found.critical_difference)
    said = f"{counted(len(groups), 'group')} of arms cannot be told apart" if groups else "all arms can be told apart"
    if groups == [(0, len(ranking.arms) - 1)]:
        said = "no two arms can be told apart"
    return (
        f"Mean ranks over {many}, 1 for the lowest loss. Two arms differ where their mean ranks are {difference} or "
        f"more apart (Nemenyi, 5 % for all pairs together): {said}. Friedman test that all arms "
        f"are equal: p = {found.p_value:.2g}."
    )


def left_out_table(left_out: Sequence[LeftOut]) -> Table:
    """The experiments that are left out, and why."""
    return Table(
        (Column("Experiment"), Column("Left out because", prose=True)),
        [(each.experiment, each.why) for each in left_out],
        "Experiments that are left out.",
    )
