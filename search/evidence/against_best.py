"""An experiment of many arms in few lines: each arm in one row, and each against the one with the lowest loss."""

from collections.abc import Sequence
from typing import Any

from cooldown.search.evidence.measures import score_caption
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.summary import ArmSummary, arm_summaries, wins
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.tables import common_repeats_told, first_is, labels_told
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View, once
from cooldown.search.spec.arms import short
from cooldown.search.statistics.verdict import Verdict


def by_loss(view: View) -> list[ArmSummary]:
    """The arms, the lowest mean test loss first, and those without one last."""
    return sorted(arm_summaries(view), key=lambda arm: float("inf") if arm.test_loss is None else arm.test_loss)


def standings_table(view: View) -> Table:
    """Every arm in one row: how good, in how many repeats the best, how much that varies, and at what cost."""
    arms, (won, common) = by_loss(view), wins(view)
    pair = compared_pair(view)
    several = len(arms) > 1
    rows: list[Sequence[Any]] = [
        (
            arm.arm,
            arm.test_loss,
            arm.test_score,
            *([f"{won[arm.arm]} of {common}" if common else None] if several else []),
            arm.spread,
            arm.gradient_evaluations,
        )
        for arm in arms
    ]
    best_in = "Best in: repeats in which it has the lowest test loss. " if several else ""
    strong: frozenset[int] = frozenset()
    bold = ""
    if pair and len(arms) > 2:
        strong = frozenset(place for place, arm in enumerate(arms) if arm.arm in pair)
        bold = f" Bold: the pair of the answer, {short(pair[0])} and {short(pair[1])}."
    return Table(
        (
            ARM,
            Column("Test loss", Form.LOSS),
            Column("Score", Form.SCORE),
            *([Column("Best in")] if several else []),
            Column("± repeats", Form.LOSS),
            Column("Cost", Form.COUNT),
        ),
        rows,
        f"{'The lowest test loss first. ' if several else ''}{score_caption(view.spec)} {best_in}±: standard deviation "
        f"between repeats. Cost: single-row gradients.{labels_told(view)}{bold}{common_repeats_told(view)}",
        strong,
    )


@once
def against_best(view: View) -> list[Verdict]:
    """The pairs of the arm with the lowest loss, which comes second, with all others, the lowest loss first."""
    known = [arm.arm for arm in by_loss(view) if arm.test_loss is not None]
    if len(known) < 2:
        return []
    best, *others = known
    found = {(each.a, each.b): each for verdict in pair_verdicts(view) for each in (verdict, verdict.flipped)}
    return [found[arm, best] for arm in others]


def against_best_table(view: View) -> Table:
    """The same as a table; a row for each arm but the best."""
    pairs = against_best(view)
    ratios = all(verdict.scale == "ratio" for verdict in pairs)
    form = Form.RATIO if ratios else Form.DIFFERENCE
    best = short(pairs[0].b) if pairs else ""
    what = f"Loss / loss of {best}" if ratios else f"Loss − loss of {best}"
    return Table(
        (
            ARM,
            Column(what, form),
            Column("Interval", form, ends=True),
            Column(f"{best} ahead in"),
            Column("Arm is"),
        ),
        [
            (
                verdict.a,
                verdict.ratio if ratios else verdict.difference,
                None if verdict.low is None or verdict.high is None else (verdict.low, verdict.high),
                None if verdict.low is None else f"{verdict.b_wins} of {verdict.repeats}",
                first_is(verdict),
            )
            for verdict in pairs
        ],
        f"Every arm against {best}, the arm with the lowest test loss.",
    )
