"""The sections of `cooldown show NAME SECTION`: the evidence behind an answer, one table each."""

from collections.abc import Callable

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from objectives.catalog import unknown_name
from search.budgets import budget_curves, crossover_sentence, target_ratio_of, times_to_target
from search.experiments import Result
from search.summary import arm_summaries, winners_loss
from search.terminal import digits, pairs, short, table

SHOWN_TRIALS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""The budgets of which a table shows the expected best: each about a third more than the last but one."""


def section(result: Result, name: str, target_loss: float | None = None) -> RenderableType:
    """One section in words and a table; raises InputError with the nearest name for an unknown one."""
    if name not in SECTIONS:
        raise unknown_name("section of an answer", name, SECTIONS)
    return _target(result, target_loss) if name == "target" else SECTIONS[name](result)


def _pairs(result: Result) -> RenderableType:
    if not result.verdicts:
        return Text(result.answer)
    notes = sorted({f"* {verdict.why}" for verdict in result.verdicts if verdict.corrected})
    return Group(
        Text("Differences of test loss, first arm minus second: negative speaks for the first.\n"),
        pairs(result.verdicts),
        *(Text(note) for note in notes),
    )


def _budget(result: Result) -> RenderableType:
    curves = budget_curves(result.record)
    if not curves:
        return Text("There are no trials yet.")
    longest = max(len(curve.trials) for curve in curves.values())
    counts = [count for count in SHOWN_TRIALS if count < longest] + [longest]
    made = table(">Trials", *(f">{short(arm)}" for arm in curves))
    for count in counts:
        cells = []
        for curve in curves.values():
            known = count <= len(curve.trials)
            cells.append(digits(float(curve.expected[count - 1]) if known else None))
        made.add_row(str(count), *cells)
    cost = table("Arm", ">Gradient evaluations of a search", ">Seconds", ">Repeats")
    for arm, curve in curves.items():
        cost.add_row(
            short(arm), f"{curve.gradient_evaluations[-1]:,.0f}", f"{curve.seconds[-1]:.1f}", str(curve.repeats)
        )
    parts: list[RenderableType] = [Text("Expected best validation loss after so many trials.\n"), made, Text(), cost]
    if result.verdicts:
        parts.append(Text(f"\n{crossover_sentence(result.record, result.verdicts[0].a, result.verdicts[0].b)}"))
    return Group(*parts)


def _cost(result: Result) -> RenderableType:
    made = table("Arm", ">Search", ">Evaluation", ">All", ">Search s", ">Evaluation s")
    for arm in arm_summaries(result.record):
        made.add_row(
            short(arm.arm),
            f"{arm.search_gradient_evaluations:,}",
            f"{arm.evaluation_gradient_evaluations:,}",
            f"{arm.gradient_evaluations:,}",
            f"{arm.search_seconds:.1f}",
            f"{arm.evaluation_seconds:.1f}",
        )
    about = "Cost in gradient evaluations (one row's gradient is 1) and in seconds of a core, diverged runs included."
    return Group(Text(f"{about}\n"), made)


def _target(result: Result, target_loss: float | None = None) -> RenderableType:
    record = result.record
    if target_loss is None:
        known = [loss for arm in record.spec["arms"] if (loss := winners_loss(record, arm)) is not None]
        if not known:
            return Text("There are no winners yet.")
        target_loss = float(np.max(known))
    times = times_to_target(record, target_loss)
    made = table("Arm", ">Gradient evaluations, median", ">Reached in")
    for arm, found in times.items():
        median = "not reached" if found.median is None else f"{found.median:,.0f}"
        made.add_row(short(arm), median, f"{found.reached} of {found.repeats} repeats")
    parts: list[RenderableType] = [
        Text(f"Until the winners' validation loss is at most {target_loss:.4g}, to within an epoch.\n"),
        made,
    ]
    if result.verdicts:
        a, b = result.verdicts[0].a, result.verdicts[0].b
        ratio = target_ratio_of(record, a, b, target_loss)
        if ratio is not None and ratio.ratio is not None:
            bounds = {"at_least": "at least ", "at_most": "at most ", "unknown": "within the budget ", None: ""}
            interval = "" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
            parts.append(Text(f"\n{a} takes {bounds[ratio.bound]}{ratio.ratio:.2f}{interval} times as long as {b}."))
    return Group(*parts)


SECTIONS: dict[str, Callable[[Result], RenderableType]] = {
    "pairs": _pairs,
    "budget": _budget,
    "cost": _cost,
    "target": _target,
}
"""What `show` can show beside the answer itself."""
