"""The report of several experiments: the question over all tasks, the arms' ranks, and each experiment's own answer."""

from collections.abc import Sequence
from typing import Any

from cooldown.search.evidence.across.comparison import Asked, Comparison, compared
from cooldown.search.evidence.across.measured import LeftOut, Measured
from cooldown.search.evidence.across.overlay import budget_lines, configs_table, learning_lines
from cooldown.search.evidence.across.tables import arms_table, left_out_table, question_table, ranks_table
from cooldown.search.evidence.commands import command_about
from cooldown.search.evidence.numbers import counted
from cooldown.search.evidence.tables import arms_table as arms_of_one
from cooldown.search.experiments.result import Result
from cooldown.search.figures import across as figures
from cooldown.search.report.answer import alarms, first_chart
from cooldown.search.report.blocks import Chart, Code, Section, Text, rendered
from cooldown.search.report.page import Head, page
from cooldown.storage import Status


def report_across(results: Sequence[Result], found: Sequence[Measured | LeftOut]) -> str:
    """The HTML document of several experiments. found: what is known of each for a comparison over tasks."""
    comparison = compared(found, Asked())
    sections = [_ranks(comparison), _over_each_other(results), *map(_of_one, range(1, len(results) + 1), results)]
    name = ", ".join(result.name for result in results)
    return page(name, Status.DONE, _head(comparison), sections)


def _head(comparison: Comparison) -> Head:
    across = comparison.across
    table = question_table(across)
    blocks: list[Any] = [Text(across.question, "note")]
    if across.tasks:
        blocks.append(rendered(table))
        blocks.append(Chart("Ratio of test losses by task", figures.FOREST_CAPTION, figures.forest(across)))
    if comparison.left_out:
        blocks.append(rendered(left_out_table(comparison.left_out)))
    return Head(across.sentence, (counted(len(across.tasks), "task"),), (), tuple(blocks))


def _ranks(comparison: Comparison) -> Section:
    """All arms on all tasks, and their ranks."""
    ranking = comparison.ranking
    if ranking.ranked is None:
        return Section("All arms", "arms")
    chart = Chart("Mean ranks", figures.RANKS_CAPTION, figures.ranks(ranking))
    return Section(
        "All arms", "arms", (rendered(arms_table(ranking)), chart, rendered(ranks_table(ranking))), folded=False
    )


def _over_each_other(results: Sequence[Result]) -> Section:
    """The experiments' curves, budgets and configs over each other."""
    views = [result.view for result in results]
    charts = [
        Chart(title, figures.OVERLAY_CAPTION, figures.overlaid(lines, x))
        for title, lines, x in (
            ("Learning curves of the winners", learning_lines(views), "Epochs"),
            ("Expected best by number of trials", budget_lines(views), "Trials"),
        )
        if lines
    ]
    return Section("Curves and configs", "overlaid", (*charts, rendered(configs_table(views))))


def _of_one(number: int, result: Result) -> Section:
    """One experiment's own answer, with its alarms and the command for its whole report."""
    found = result.answer
    blocks = (
        *(Text(found.sentence), *([Text(found.why)] if found.why else []), rendered(arms_of_one(result.view))),
        *(*first_chart(result), *alarms(result).blocks),
        *(Text("Its whole report:", "note"), Code(command_about(result.record, "report"))),
    )
    return Section(result.name, f"experiment-{number}", blocks)
