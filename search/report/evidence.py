"""The evidence: learning curves, budget, credit, cost, time to target, pruning."""

from typing import Any

from cooldown.search.evidence import SECTIONS, sections
from cooldown.search.evidence.budgets import budget_curves, crossover_sentence, pair_crossover
from cooldown.search.evidence.credit import credit_sentence, credit_split
from cooldown.search.evidence.learning import winners_curves
from cooldown.search.evidence.sections import Block, Missing
from cooldown.search.evidence.table import Table
from cooldown.search.evidence.tables import SHOWN_BUDGETS
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.experiments.result import Result
from cooldown.search.figures import budget as budget_figures
from cooldown.search.figures import learning as learning_figures
from cooldown.search.figures import verdict as figures
from cooldown.search.report.answer import how_to_continue, missing
from cooldown.search.report.blocks import MOST_ROWS, Chart, Section, Text, numbers, rendered

ALL_NUMBERS = "`cooldown show NAME --json` has all of them."
BUDGETS: tuple[budget_figures.Budget, ...] = ("trials", "gradient evaluations")
TITLES = {"cost": "Cost", "target": "Time to target", "pruning": "Pruning"}


def learning(result: Result) -> Section:
    """The winners' losses by epoch."""
    curves = winners_curves(result.view)
    if not curves:
        return Section("Learning curves", "curves", tuple(missing(result, "There are no trials yet.")))
    losses: tuple[learning_figures.Losses, ...] = ("validation", "training")
    charts = []
    for loss in losses:
        reading = (
            f"{learning_figures.CAPTION} Click an arm in the legend to hide it."
            if loss == "validation"
            else "The same for the training loss: the mean over each epoch's mini-batches during training."
        )
        table = learning_figures.learning_table(curves, loss)
        charts.append(
            Chart(
                f"{loss.capitalize()} loss and learning rate of the winners",
                reading,
                learning_figures.learning(curves, losses=loss),
                numbers(_thinned(table), more=ALL_NUMBERS),
            )
        )
    return Section("Learning curves", "curves", tuple(charts))


def _thinned(table: Table) -> Table:
    """The last epoch of every arm, and a regular selection of the others."""
    arms = table.values("Arm")
    every = -(-len(arms) // max(MOST_ROWS - len(set(arms)), 1))
    first = {arm: arms.index(arm) for arm in arms}
    last = {arm: place for place, arm in enumerate(arms)}
    return table.take(
        [place for place, arm in enumerate(arms) if place == last[arm] or (place - first[arm]) % every == 0]
    )


def budget(result: Result) -> Section:
    """The value of a larger search."""
    view = result.view
    pair, curves = compared_pair(view), budget_curves(view)
    if not curves:
        return Section("Budget", "budget", tuple(missing(result, "There are no trials yet.")))
    crossover = pair_crossover(view, *pair) if pair else None
    sentence = crossover_sentence(view, *pair) if pair else ""
    table = budget_figures.budget_table(curves)
    longest = {arm: len(curve.trials) for arm, curve in curves.items()}
    shown = table.take(
        [
            place
            for place, (arm, trials, *_) in enumerate(table.rows)
            if trials in SHOWN_BUDGETS or trials == longest[arm]
        ]
    )
    charts = [
        Chart(
            f"Expected best vs {axis}",
            budget_figures.budget_caption(view)
            if axis == "trials"
            else "The same by gradient evaluations, because trials of different arms may differ in cost.",
            budget_figures.budget(curves, crossover, pair, x=axis, log=True),
            numbers(shown, more=ALL_NUMBERS),
        )
        for axis in BUDGETS
    ]
    return Section("Budget", "budget", (*([Text(sentence)] if sentence else []), *charts))


def credit(result: Result) -> Section:
    """The contributions of optimizer, schedule and tuning."""
    pair = compared_pair(result.view)
    split = credit_split(result.view, pair) if pair else None
    blocks: list[Any] = []
    if pair and split and split.shares:
        blocks.append(Text(credit_sentence(result.view, pair)))
        shares = {**split.shares, "total": split.effects["total"]}
        blocks.append(
            Chart(
                f"From {split.first} to {split.other}",
                figures.credit_caption(split),
                figures.credit(shares),
            )
        )
    return Section("Credit", "credit", (*blocks, *_blocks(result, sections.credit(result.view))))


def _blocks(result: Result, section: list[Block]) -> list[Any]:
    """A section of evidence as blocks; where something is missing, with what to do about it."""
    blocks: list[Any] = []
    for block in section:
        if isinstance(block, Missing):
            blocks.append(Text(block.text, "missing"))
        else:
            blocks.append(Text(block) if isinstance(block, str) else rendered(block))
    return [*blocks, *how_to_continue(result)] if any(isinstance(block, Missing) for block in section) else blocks


def evidence(result: Result, name: str) -> Section:
    """A section of evidence that has no chart: "cost", "target" or "pruning"."""
    assert name in SECTIONS
    section = sections.MADE[name](result.view)
    # Without complete searches there is nothing to say about pruners.
    if name == "pruning" and any(isinstance(block, Missing) for block in section):
        return Section(TITLES[name], name)
    return Section(TITLES[name], name, tuple(_blocks(result, section)))
