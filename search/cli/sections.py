"""The sections of `cooldown show NAME SECTION`: the evidence behind an answer, one table each."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.text import Text

from cooldown.objectives.catalog import unknown_name
from cooldown.search.cli.options import SECTIONS
from cooldown.search.cli.terminal import digits, interval, pairs, table
from cooldown.search.evidence.budgets import (
    crossover_sentence,
    default_target,
    finite,
    target_ratio_of,
    times_to_target,
)
from cooldown.search.evidence.credit import credit, tuning_gains
from cooldown.search.evidence.sensitivity import DECADES, Sensitivity, sensitivities
from cooldown.search.evidence.verdict import arm_summaries
from cooldown.search.experiments.result import Result
from cooldown.search.spec.arms import short
from cooldown.search.tuning.pruning import pruned_arms, replayed_arms

SHOWN_TRIALS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""The budgets of which a table shows the expected best: each about a third more than the last but one."""


def section(result: Result, name: str, target_loss: float | None = None) -> RenderableType:
    """One section in words and a table; raises InputError with the nearest name for an unknown one."""
    if name not in SECTIONS:
        raise unknown_name("section of an answer", name, SECTIONS)
    return _target(result, target_loss) if name == "target" else MADE[name](result)


def _pairs(result: Result) -> RenderableType:
    if not result.verdicts:
        return Text(result.answer)
    notes = sorted({f"* {verdict.why}" for verdict in result.verdicts if verdict.corrected})
    return Group(
        Text(
            "First arm minus second: of the test loss, where below 0 speaks for the first, and of the score, where "
            "above 0 does. The pair that answers the question stands first; others are corrected for their number.\n"
        ),
        pairs(result.verdicts),
        *(Text(note) for note in notes),
    )


def _budget(result: Result) -> RenderableType:
    curves = result.budget_curves
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
    cost = table("Arm", ">Expected best", ">95 % interval", ">Evaluations", ">Seconds", ">Rep.")
    for arm, curve in curves.items():
        cost.add_row(
            short(arm),
            digits(float(curve.expected[-1])),
            interval(finite(curve.low[-1]), finite(curve.high[-1]), ".3f"),
            f"{curve.gradient_evaluations[-1]:,.0f}",
            f"{curve.seconds[-1]:.1f}",
            str(curve.repeats),
        )
    parts: list[RenderableType] = [
        Text("Expected best validation loss after so many trials.\n"),
        made,
        Text("\nA whole search:\n"),
        cost,
    ]
    if result.verdicts:
        parts.append(Text(f"\n{crossover_sentence(result.record, result.verdicts[0].a, result.verdicts[0].b)}"))
    return Group(*parts)


def _cost(result: Result) -> RenderableType:
    arms = arm_summaries(result.record)
    parts = ["search", "evaluation", "default", "superseded"]
    # Most experiments have none of the last two.
    parts = parts[:2] + [
        part for part in parts[2:] if any(getattr(arm, f"{part}_gradient_evaluations") for arm in arms)
    ]
    tables: list[RenderableType] = []
    for about, name, form in (
        ("Gradient evaluations; one row's gradient is 1.", "gradient_evaluations", ",.0f"),
        ("Seconds of a core.", "seconds", ".1f"),
    ):
        made = table("Arm", *(f">{COST_PARTS[part]}" for part in parts), ">All")
        for arm in arms:
            costs = [getattr(arm, f"{part}_{name}") for part in parts] + [getattr(arm, name)]
            made.add_row(short(arm.arm), *(format(cost, form) for cost in costs))
        tables += [Text(f"{about}\n"), made, Text()]
    return Group(*tables, Text("Diverged and pruned runs are included."))


COST_PARTS = {
    "search": "Search",
    "evaluation": "Evaluation",
    "default": "Default config",
    "superseded": "Earlier search",
}


def _credit(result: Result) -> RenderableType:
    record = result.record
    gained = tuning_gains(record)
    if not gained:
        return Text("There are no default configs beside tuned ones yet.")
    tuned = table("Arm", ">Default", ">Tuned", ">Difference", ">95 % interval")
    for gain in gained:
        tuned.add_row(
            short(gain.arm),
            digits(gain.default_loss),
            digits(gain.tuned_loss),
            digits(gain.difference, "+.4f"),
            interval(gain.low, gain.high),
        )
    parts: list[RenderableType] = [Text("Test loss of each arm untuned and tuned.\n"), tuned]
    found = credit(record, (result.verdicts[0].a, result.verdicts[0].b)) if result.verdicts else None
    if found and found.missing:
        parts.append(Text(f"\nTo split the difference up, the experiment lacks: {'; '.join(found.missing)}."))
    elif found:
        whole = {"total": found.effects["total"]}
        effects = {name: effect for name, effect in found.effects.items() if name not in whole}
        for line, shown in (
            ("Among the tuned arms alone, the mean change by the other optimizer, and by annealing:", found.tuned),
            (
                f"The way from {found.first} to {found.other}, and what of it each accounts for:",
                {**found.shares, **whole},
            ),
            ("All effects of the full factorial, tuned or not, which do not add up to the total:", effects),
        ):
            split = table("Effect", ">Test loss", ">95 % interval")
            for name, effect in shown.items():
                split.add_row(name, digits(effect.estimate, "+.4f"), interval(effect.low, effect.high))
            parts += [Text(f"\n{line}\n"), split]
    return Group(*parts)


def _target(result: Result, target_loss: float | None = None) -> RenderableType:
    record, given = result.record, target_loss is not None
    if target_loss is None:
        target_loss = default_target(record)
    if target_loss is None:
        return Text("There are no winners yet.")
    times = times_to_target(record, target_loss)
    made = table("Arm", ">Gradient evaluations, median", ">Reached in")
    for arm, found in times.items():
        median = "not reached" if found.median is None else f"{found.median:,.0f}"
        made.add_row(short(arm), median, f"{found.reached} of {found.repeats} repeats")
    of = (
        ""
        if given
        else ", what the best default config ends with"
        if record.default_configs
        else ", the worst arm's winners'"
    )
    about = f"Gradient evaluations until the winners' mean validation loss is at most {target_loss:.4g}{of}.\n"
    parts: list[RenderableType] = [Text(about), made]
    if result.verdicts:
        a, b = result.verdicts[0].a, result.verdicts[0].b
        ratio = target_ratio_of(record, a, b, target_loss)
        reached = all(arm in times and 2 * times[arm].reached >= times[arm].repeats for arm in (a, b))
        if reached and ratio is not None and ratio.ratio is not None:
            bounds = {"at_least": "at least ", "at_most": "at most ", "unknown": "about ", None: ""}
            told = "" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
            parts.append(
                Text(
                    f"\n{a} takes {bounds[ratio.bound]}{ratio.ratio:.2f}{told} times as long as {b}: the geometric "
                    "mean over repeats, in which one that is not reached counts as the whole run."
                )
            )
        else:
            parts.append(Text("\nToo few repeats reach it for a ratio."))
    return Group(*parts)


def _sensitivity(result: Result) -> RenderableType:
    found = sensitivities(result.record)
    if not found:
        return Text("There are no trials yet.")
    made = table("Hyperparameter", ">Width", ">95 % interval", ">Of", "Good values", ">Importance")
    for arm in dict.fromkeys(each.arm for each in found):
        made.add_row(Text(short(arm), style="bold"))
        joint = "," in arm
        for each in (each for each in found if each.arm == arm):
            share = each.unit is not None and each.unit != DECADES
            form = ".0%" if share else ".2f"
            # One good trial shows where the region is, and nothing of its width.
            wide = None if each.width == 0 else each.width
            made.add_row(
                f"  {each.key if joint else each.key.rpartition('.')[2]}",
                "" if each.unit is None else digits(wide, form),
                "" if wide is None else interval(each.low, each.high, form),
                "" if each.unit is None else "range" if share else f"{each.range_width:.1f} decades",
                "" if each.best_low is None else f"{each.best_low:.3g}…{_upper(each)}",
                digits(each.importance, ".0%"),
            )
    return Group(
        Text(
            "How much each hyperparameter matters: the width of the region in which a study came within 10 % of its "
            "best loss, in decades of a log scale (for a momentum or β, of 1 minus it) or as a share of a linear "
            "range; where it lies; and its share of importance (PED-ANOVA). Periods are epochs, warm-ups updates.\n"
        ),
        made,
    )


def _upper(each: Sensitivity) -> str:
    """The region's upper end, with as many digits as a β near 1 needs."""
    high = each.best_high or 0.0
    return f"{high:.5g}" if 0.99 < high < 1 else f"{high:.3g}"


def _pruning(result: Result) -> RenderableType:
    record = result.record
    if record.spec["pruner"] != "none":
        made = table("Arm", ">Trials", ">Pruned", ">Search cost saved")
        for arm, saved in pruned_arms(record).items():
            made.add_row(short(arm), str(saved.trials), str(saved.pruned), f"{saved.share_saved:.0%}")
        return Group(
            Text(f"What the {record.spec['pruner']} pruner did.\n"),
            made,
            Text("\nWhat pruned trials would have reached is not known; a run with --pruner none would tell."),
        )
    replays = replayed_arms(record)
    if not replays:
        return Text("There are no complete searches yet.")
    made = table("Arm", "Pruner", ">Pruned", ">Saved", ">Winners pruned", ">Loss")
    for (arm, pruner), each in replays.items():
        made.add_row(
            short(arm),
            pruner,
            f"{each.pruned} of {each.trials}",
            f"{each.share_saved:.0%}",
            f"{each.winners_pruned} of {each.repeats}",
            digits(each.loss_difference, "+.4f"),
        )
    return Group(
        Text(
            "What --pruner would have done to these searches: the trials that it would have stopped, the gradient "
            "evaluations that this would have saved, how many winners were among them, and the mean validation loss of "
            "the winners left, less that of the winners there are.\n"
        ),
        made,
    )


MADE: dict[str, Callable[[Result], RenderableType]] = {
    "pairs": _pairs,
    "credit": _credit,
    "budget": _budget,
    "sensitivity": _sensitivity,
    "cost": _cost,
    "target": _target,
    "pruning": _pruning,
}
