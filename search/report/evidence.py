"""The evidence behind an answer: learning curves, what a budget buys, credit, cost, time to a target, pruning."""

from typing import Any

from cooldown.search.evidence.budgets import (
    budget_curves,
    crossover_sentence,
    default_target,
    pair_crossover,
    target_ratio_of,
    times_to_target,
)
from cooldown.search.evidence.credit import credit as credit_of
from cooldown.search.evidence.credit import credit_sentence
from cooldown.search.evidence.learning import winners_curves
from cooldown.search.evidence.tables import COSTS, GAINS, costs, gains
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import captions
from cooldown.search.figures import learning as learning_figures
from cooldown.search.figures import verdict as figures
from cooldown.search.report.answer import how_to_go_on, missing
from cooldown.search.report.blocks import MOST_ROWS, Chart, Section, Table, Text, numbers, rows
from cooldown.search.report.numbers import cell, interval, number, optional
from cooldown.search.tuning.pruning import pruned_arms, replayed_arms

SHOWN_TRIALS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""The budgets of which a table shows the expected best."""

ALL_NUMBERS = "`cooldown show NAME --json` has all of them."
BUDGETS: tuple[budget_figures.Budget, ...] = ("trials", "gradient evaluations")


def _pair(result: Result) -> tuple[str, str] | None:
    return (result.verdicts[0].a, result.verdicts[0].b) if result.verdicts else None


def learning(result: Result) -> Section:
    """The winners' losses, epoch by epoch."""
    curves = winners_curves(result.record)
    if not curves:
        return Section("Learning curves", "curves", tuple(missing(result, "There are no trials yet.")))
    losses: tuple[learning_figures.Losses, ...] = ("validation", "training")
    charts = []
    for loss in losses:
        frame = learning_figures.learning_table(curves, loss)
        # Of every arm its last epoch is shown, and of the others every so many.
        every = -(-len(frame) // max(MOST_ROWS - len(curves), 1))
        last = ~frame["Arm"].duplicated(keep="last")
        kept = frame[last | (frame.groupby("Arm").cumcount() % every == 0)]
        reading = (
            f"{captions.CURVES} A click on an arm in the legend hides it."
            if loss == "validation"
            else "The same of the mean loss of each epoch's mini-batches, as they were trained."
        )
        charts.append(
            Chart(
                f"{loss.capitalize()} loss and learning rate of the winners",
                reading,
                learning_figures.learning(curves, losses=loss),
                numbers(kept, "", whole=len(frame), more=ALL_NUMBERS),
            )
        )
    return Section("Learning curves", "curves", tuple(charts))


def budget(result: Result) -> Section:
    """What a larger search would have bought."""
    record, pair = result.record, _pair(result)
    curves = budget_curves(record)
    if not curves:
        return Section("Budget", "budget", tuple(missing(result, "There are no trials yet.")))
    crossover = pair_crossover(record, *pair) if pair else None
    sentence = crossover_sentence(record, *pair) if pair else ""
    frame = budget_figures.budget_table(curves)
    kept = frame[frame["Trials"].isin(SHOWN_TRIALS) | ~frame["Arm"].duplicated(keep="last")]
    reading = captions.budget(record)
    charts = [
        Chart(
            f"Expected best against {axis}",
            reading
            if axis == "trials"
            else "The same against gradient evaluations: a trial of one arm may cost more than one of another.",
            budget_figures.budget(curves, crossover, pair, x=axis, log=True),
            numbers(kept, "", whole=len(frame), more=ALL_NUMBERS),
        )
        for axis in BUDGETS
    ]
    return Section("Budget", "budget", (*([Text(sentence)] if sentence else []), *charts))


def credit(result: Result) -> Section:
    """What optimizer, schedule and tuning account for."""
    record, pair = result.record, _pair(result)
    split = credit_of(record, pair) if pair else None
    blocks: list[Any] = []
    if pair and split and split.shares:
        blocks.append(Text(credit_sentence(record, pair)))
        blocks.append(
            Chart(
                f"From {split.first} to {split.other}",
                captions.credit(split),
                figures.credit(split.shares),
                numbers(figures.credit_table(split.shares), ""),
            )
        )
        blocks.append(
            Table(
                ("Effect", "Change of test loss", "95 % interval"),
                tuple(
                    (name, number(each.estimate, "+.4f"), interval(each.low, each.high))
                    for name, each in (
                        *((f"{name}, among the tuned arms", each) for name, each in split.tuned.items()),
                        *((f"{name}, in the factorial", each) for name, each in split.effects.items()),
                    )
                ),
                "Effects of the full factorial, tuned or not, which do not add up to the total, and those among the "
                "tuned arms alone.",
            )
        )
    elif split:
        blocks.append(
            Text(f"To divide the difference up, the experiment lacks: {', '.join(split.missing)}.", "missing")
        )
    gained = gains(record)
    if gained:
        blocks.append(rows(GAINS, gained, captions.GAINS))
    else:
        blocks.append(Text("There are no default configs beside tuned ones yet.", "missing"))
    if not gained or (split and not split.shares):
        blocks += how_to_go_on(result)
    return Section("Credit", "credit", tuple(blocks))


def cost(result: Result) -> Section:
    """What it took."""
    found = costs(result.record)
    columns = {key: title for key, title in COSTS.items() if key in found[0]}
    return Section("Cost", "cost", (rows(columns, found, captions.COST),))


def target(result: Result) -> Section:
    """Who got to a given validation loss, and how fast."""
    record, pair = result.record, _pair(result)
    loss = default_target(record)
    if loss is None:
        return Section("Time to target", "target", tuple(missing(result, "There are no winners yet.")))
    of = "the best default config ends with" if record.default_configs else "the worst arm's winners end with"
    times = times_to_target(record, loss)
    if not times:
        nothing = missing(result, "No winner has been trained on further seeds yet.")
        return Section("Time to target", "target", tuple(nothing))
    table = Table(
        ("Arm", "Gradient evaluations, median", "Reached in"),
        tuple(
            (
                arm,
                "not reached" if each.median is None else f"{each.median:,.0f}",
                f"{each.reached} of {each.repeats} repeats",
            )
            for arm, each in times.items()
        ),
        f"Gradient evaluations until the winners' mean validation loss is at most {number(loss, '.4f')}, what {of}.",
    )
    blocks: list[Any] = [table]
    ratio = target_ratio_of(record, *pair, loss) if pair else None
    if pair and ratio and ratio.ratio and all(2 * times[arm].reached >= times[arm].repeats for arm in pair):
        bounds = {"at_least": "at least ", "at_most": "at most ", "unknown": "about ", None: ""}
        told = "" if ratio.low is None else f" [{ratio.low:.2f}, {ratio.high:.2f}]"
        blocks.append(
            Text(
                f"{pair[0]} takes {bounds[ratio.bound]}{ratio.ratio:.2f}{told} times as long as {pair[1]}: the "
                "geometric mean over repeats, in which one that is not reached counts as the whole run."
            )
        )
    elif pair:
        blocks.append(Text("Too few repeats of the first pair reach it for a ratio.", "note"))
    return Section("Time to target", "target", tuple(blocks))


def pruning(result: Result) -> Section:
    """What a pruner saved, or would have saved and changed; nothing where no search is complete."""
    return _replayed(result) if result.record.spec["pruner"] == "none" else _pruned(result)


def _pruned(result: Result) -> Section:
    record = result.record
    table = Table(
        ("Arm", "Trials", "Pruned", "Search cost saved"),
        tuple(
            (arm, cell(each.trials), cell(each.pruned), f"{each.share_saved:.0%}")
            for arm, each in pruned_arms(record).items()
        ),
        f"What the {record.spec['pruner']} pruner did. What pruned trials would have reached is not known.",
    )
    return Section("Pruning", "pruning", (table,) if table.rows else ())


def _replayed(result: Result) -> Section:
    table = Table(
        ("Arm", "Pruner", "Pruned", "Saved", "Winners pruned", "Change of loss"),
        tuple(
            (
                arm,
                pruner,
                f"{each.pruned} of {each.trials}",
                f"{each.share_saved:.0%}",
                f"{each.winners_pruned} of {each.repeats}",
                optional(each.loss_difference, "+.4f"),
            )
            for (arm, pruner), each in replayed_arms(result.record).items()
        ),
        "What --pruner would have done to these searches: the trials that it would have stopped, the gradient "
        "evaluations that this would have saved, how many winners were among them, and the mean validation loss of the "
        "winners left, less that of the winners there are.",
        frozenset({0, 1}),
    )
    return Section("Pruning", "pruning", (table,) if table.rows else ())
