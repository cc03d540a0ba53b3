"""The tables of an answer and its evidence, each a value that terminal, report and dashboard set alike."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cooldown.search.evidence.budgets import budget_curves
from cooldown.search.evidence.credit import CreditSplit, tuning_gains
from cooldown.search.evidence.measures import score_caption
from cooldown.search.evidence.numbers import Form, confidence, counted
from cooldown.search.evidence.summary import arm_summaries, wins
from cooldown.search.evidence.table import ARM, Column, Table
from cooldown.search.evidence.target import times_to_target
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import short
from cooldown.search.statistics.intervals import Interval
from cooldown.search.statistics.verdict import Verdict

SHOWN_BUDGETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""The budgets of which a table shows the expected best: each about a third more than the last but one."""

WORDS = {"a_better": "better", "b_better": "worse", "tie": "practically equal", "undecided": "undecided"}
"""What the first arm of a pair is."""

CHOSEN = "the best annealed SGD and the best adaptive arm"
"""Which pair a question is about unless the user says so, in words; see `losses.question_pair`."""

EVALUATIONS = "single-row gradients"


def versus(a: str, b: str) -> str:
    """A pair of arms."""
    return f"{short(a)} vs {short(b)}"


def arms_table(view: View) -> Table:
    """Every arm in numbers, the lowest test loss first; the pair of the answer is marked where there are others."""
    arms = sorted(arm_summaries(view), key=lambda arm: float("inf") if arm.test_loss is None else arm.test_loss)
    columns = [ARM, Column("Test loss", Form.LOSS), Column("± repeats", Form.LOSS), Column("Score", Form.SCORE)]
    rows: list[list[Any]] = [[arm.arm, arm.test_loss, arm.spread, arm.test_score] for arm in arms]
    caption = f"±: standard deviation between repeats. {score_caption(view.spec)}"
    if len(arms) > 1:
        columns.append(Column("Best in"))
        won, common = wins(view)
        for row, arm in zip(rows, arms, strict=True):
            row.append(f"{won[arm.arm]} of {common}" if common else None)
        caption += " Best in: repeats in which it has the lowest test loss."
    columns += [
        Column("Val. loss", Form.LOSS, wide=True),
        Column("Diverged", Form.SHARE, wide=True, about="Diverged: share of the search's runs."),
        Column("Capped", Form.SHARE, about="Capped: share of the search's runs no better than the baseline predictor."),
        Column("Repeats", Form.COUNT),
    ]
    for row, arm in zip(rows, arms, strict=True):
        row += [arm.validation_loss, arm.diverged, arm.search_capped, arm.evaluated]
    updates = {round(arm.updates) for arm in arms if arm.updates is not None}
    if len(updates) > 1:
        # A growing batch or an early stop saves some.
        columns.append(Column("Updates", Form.COUNT, wide=True, about="Updates: parameter updates of a winner's run."))
        for row, arm in zip(rows, arms, strict=True):
            row.append(None if arm.updates is None else round(arm.updates))
    caption += labels_told(view)
    pair = compared_pair(view)
    strong: frozenset[int] = frozenset()
    if pair and len(arms) > 2:
        strong = frozenset(place for place, arm in enumerate(arms) if arm.arm in pair)
        chosen = "" if view.spec.primary else f": {CHOSEN} by validation loss"
        caption += f" Bold: the pair of the answer, {short(pair[0])} and {short(pair[1])}{chosen}."
    if pair and pair_verdicts(view)[0].ratio is not None:
        caption += " The answer compares the losses within each repeat (geometric mean of their ratios)."
    caption += common_repeats_told(view)
    return Table(tuple(columns), rows, caption, strong)


def labels_told(view: View) -> str:
    """What is behind each label of an arm, as the end of a caption; "" where none needs it."""
    labelled = [arm for arm in view.parsed_arms.values() if arm.label and short(arm.name) != arm.name]
    return f" {'; '.join(f'{arm.label}: {arm.unlabelled}' for arm in labelled)}." if labelled else ""


def common_repeats_told(view: View) -> str:
    """Which repeats the answer is over where its arms have other ones, as the end of a caption: an experiment that
    runs, or was interrupted, has means over more of them.
    """
    pair = compared_pair(view)
    if not pair or len({arm.evaluated for arm in arm_summaries(view) if arm.arm in pair}) < 2:
        return ""
    return (
        f" The answer compares the {counted(pair_verdicts(view)[0].repeats, 'repeat')} that both arms of its pair have."
    )


def pairs_table(verdicts: Sequence[Verdict], best: Literal["lowest", "highest"] = "highest") -> Table:
    """Every pair of arms with its verdict, the one that answers the question first. best: which score is best."""
    better = "negative" if best == "lowest" else "positive"
    ratios = all(verdict.scale == "ratio" for verdict in verdicts)
    form = Form.RATIO if ratios else Form.DIFFERENCE
    return Table(
        (
            Column("Pair"),
            Column("Ratio" if ratios else "Difference", form),
            Column("Interval", form, ends=True),
            Column("Ahead"),
            Column(
                "P(better)", Form.PROBABILITY, wide=True, about="P(better): probability that the first arm is better."
            ),
            Column(
                "Score",
                Form.SCORE_DIFFERENCE,
                wide=True,
                about=f"A {better} score difference favours the first arm.",
            ),
            Column("First is"),
        ),
        [
            (
                versus(verdict.a, verdict.b),
                verdict.ratio if ratios else verdict.difference,
                _ends(verdict.low, verdict.high),
                None if verdict.low is None else f"{verdict.wins} of {verdict.repeats}",
                verdict.probability_a_better,
                verdict.score_difference,
                first_is(verdict),
            )
            for verdict in verdicts
        ],
        f"{_how_compared(ratios)} {_how_decided(verdicts)}",
        frozenset(place for place, verdict in enumerate(verdicts) if verdict.primary and len(verdicts) > 1),
    )


def first_is(verdict: Verdict) -> str:
    """What the first arm of a pair is, in a word or two."""
    slightly = "slightly " if verdict.equal and verdict.verdict in ("a_better", "b_better") else ""
    return f"{slightly}{WORDS[verdict.verdict]}"


def _how_compared(ratios: bool) -> str:
    if ratios:
        return (
            "Ratio: test loss of the first arm divided by that of the second, the geometric mean over repeats; below 1 "
            "favours the first. Ahead: repeats in which the first has the lower loss."
        )
    return (
        "Difference: test loss of the first arm minus that of the second, as some losses are not above 0; below 0 "
        "favours the first. Ahead: repeats in which the first has the lower loss."
    )


def _how_decided(verdicts: Sequence[Verdict]) -> str:
    """What the intervals of a table are, and what was decided by them."""
    methods = {verdict.method for verdict in verdicts if not verdict.primary}
    level = next((verdict.level for verdict in verdicts if verdict.primary and verdict.level), 0.05)
    own, narrow = (f"{confidence(each)} interval" for each in (level, 2 * level))
    others, wide = "", own
    if "tukey" in methods:
        others = f" The first pair has its own {own}; those of the others hold simultaneously (Tukey)."
    elif "holm" in methods:
        wide = "interval"
        others = (
            f" The first pair has its own {own}; as some arms lack repeats, each other interval is at the "
            "level at which Holm's procedure tested its pair."
        )
    margin = f"{100 * verdicts[0].margin:g} %" if verdicts else ""
    return (
        f"An arm is better if the {wide} excludes equal losses; slightly, or practically equal, if the {narrow} "
        f"lies within the margin of {margin}.{others}"
    )


def expected_best_table(view: View) -> Table:
    """The expected best validation loss of each arm's search after so many trials."""
    curves = budget_curves(view)
    longest = max((len(curve.trials) for curve in curves.values()), default=0)
    counts = [count for count in SHOWN_BUDGETS if count < longest] + [longest]
    return Table(
        (Column("Trials", Form.COUNT), *(Column(arm, Form.LOSS) for arm in curves)),
        [
            (
                count,
                *(
                    float(curve.expected[count - 1]) if count <= len(curve.trials) else None
                    for curve in curves.values()
                ),
            )
            for count in counts
        ],
        "Expected best validation loss after so many trials.",
    )


def whole_search_table(view: View) -> Table:
    """What a whole search of each arm finds and costs."""
    return Table(
        (
            ARM,
            Column("Best", Form.LOSS),
            Column("95 % interval", Form.LOSS, ends=True),
            Column("Evaluations", Form.COUNT, EVALUATIONS),
            Column("Core-seconds", Form.SECONDS),
            Column("Repeats", Form.COUNT, wide=True),
        ),
        [
            (
                arm,
                float(curve.expected[-1]),
                _ends(float(curve.low[-1]), float(curve.high[-1])),
                float(curve.gradient_evaluations[-1]),
                float(curve.seconds[-1]),
                curve.repeats,
            )
            for arm, curve in budget_curves(view).items()
        ],
        "A whole search: the expected best validation loss, and the cost in each repeat.",
    )


def gains_table(view: View) -> Table:
    """Test loss of each arm with its default config and tuned."""
    return Table(
        (
            ARM,
            Column("Default", Form.LOSS),
            Column("Tuned", Form.LOSS),
            Column("Change", Form.DIFFERENCE),
            Column("95 % interval", Form.DIFFERENCE, ends=True),
            Column("Repeats", Form.COUNT, wide=True),
        ),
        [
            (gain.arm, gain.default_loss, gain.tuned_loss, gain.difference, _ends(gain.low, gain.high), gain.repeats)
            for gain in tuning_gains(view)
        ],
        "Test loss of each arm with its default config and after tuning. A negative change is what tuning gained.",
    )


def effects_table(effects: Mapping[str, Interval], caption: str = "") -> Table:
    """Changes of the test loss by what causes them."""
    return Table(
        (Column("Effect"), Column("Change", Form.DIFFERENCE), Column("95 % interval", Form.DIFFERENCE, ends=True)),
        [(name, effect.estimate, (effect.low, effect.high)) for name, effect in effects.items()],
        caption,
    )


def credit_tables(split: CreditSplit) -> list[Table]:
    """The tables of a credit split that lacks no arm."""
    total = {"total": split.effects["total"]}
    return [
        effects_table(
            split.tuned, "Among the tuned arms alone: the mean change due to the optimizer, and to annealing."
        ),
        effects_table(
            {**split.shares, **total},
            f"From {split.first} to {split.other}: what optimizer, schedule and tuning contribute to the total.",
        ),
        effects_table(
            {name: effect for name, effect in split.effects.items() if name not in total},
            "Effects of the full factorial, tuned or not; they do not add up to the total.",
        ),
    ]


COST_PARTS = {
    "search": "Search",
    "evaluation": "Evaluation",
    "default": "Default config",
    "superseded": "Earlier search",
}
"""What an arm's cost is made of."""


def cost_table(view: View, measure: str = "gradient_evaluations") -> Table:
    """What each arm cost. measure: "gradient_evaluations" or "seconds"."""
    arms = arm_summaries(view)
    # Most experiments have none of the last two.
    parts = [
        part
        for part in COST_PARTS
        if part in ("search", "evaluation") or any(getattr(arm, f"{part}_gradient_evaluations") for arm in arms)
    ]
    counts = measure == "gradient_evaluations"
    form = Form.COUNT if counts else Form.SECONDS
    what = "Cost in gradient evaluations (the gradient of one row counts 1)" if counts else "Cost in core-seconds"
    return Table(
        (ARM, *(Column(COST_PARTS[part], form) for part in parts), Column("All", form)),
        [(arm.arm, *(getattr(arm, f"{part}_{measure}") for part in parts), getattr(arm, measure)) for arm in arms],
        f"{what}, diverged and pruned runs included.",
    )


def target_table(view: View, target: float | None) -> Table:
    """How many gradient evaluations the winners of each arm took to a validation loss; None for each repeat's own."""
    return Table(
        (ARM, Column("Evaluations, median", Form.COUNT, EVALUATIONS), Column("Reached in")),
        [
            (
                arm,
                "not reached" if times.median is None else times.median,
                f"{times.reached} of {times.repeats} repeats",
            )
            for arm, times in times_to_target(view, target).items()
        ],
    )


def _ends(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
