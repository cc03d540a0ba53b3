"""The searches: the history and hyperparameters of each arm, and how much each hyperparameter matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.search_tables import sensitivity_table
from cooldown.search.evidence.sensitivity import Sensitivity, sensitivities
from cooldown.search.evidence.table import Table as Evidence
from cooldown.search.evidence.trials import numeric_parameters
from cooldown.search.experiments.result import Result
from cooldown.search.figures import importance
from cooldown.search.figures import trials as figures
from cooldown.search.report.answer import missing
from cooldown.search.report.blocks import Chart, Doubt, Part, Row, Section, Table, Text, numbers, rendered
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.doubts import Side
from cooldown.storage import StudyRecord

MOST_SLICES = 8
"""The most hyperparameters drawn per arm, by importance: a joint arm has dozens."""

MOST_POINTS = 40_000
"""The most points in all charts of all arms: they take about 600 kB, and some seconds to draw."""

SHOWN = 20
"""Rows of a table of trials: the best ones."""

HEIGHT = 300
"""Pixels of the chart of one hyperparameter; several are side by side."""

ALL_TRIALS = "`cooldown trials NAME --csv` prints all of them."


def search(result: Result) -> Section:
    """A part for each arm that has trials."""
    view = result.view
    arms = [arm for arm in view.arms if view.begun(arm)]
    if not arms:
        return Section("Search", "search", tuple(missing(result, "There are no trials yet.")))
    measured = sensitivities(view)
    at_edges = {(edge.arm, edge.parameter.key): edge.side for edge in edges(view)}
    drawn = {arm: _most_important(numeric_parameters(view, arm), measured, arm) for arm in arms}
    # In the history, and in a chart for each hyperparameter.
    most = MOST_POINTS // sum(len(parameters) + 1 for parameters in drawn.values())
    parts = []
    for number, arm in enumerate(arms):
        studies = view.begun(arm)
        sides = {key: side for (of, key), side in at_edges.items() if of == arm}
        left = len(numeric_parameters(view, arm)) - len(drawn[arm])
        blocks = _arm(studies, figures.history_caption(view, studies), drawn[arm], sides, most, left)
        parts.append(Part(arm, f"search-{number + 1}", tuple(blocks)))
    return Section("Search", "search", tuple(parts))


def _arm(
    studies: Sequence[StudyRecord],
    reading: str,
    parameters: list[Parameter],
    sides: dict[str, Side],
    most: int,
    left: int,
) -> list[Any]:
    shown = thinned(studies, most)
    total, kept = (sum(len(study.trials) for study in selection) for selection in (studies, shown))
    blocks: list[Any] = []
    if kept < total:
        blocks.append(
            Text(
                f"{kept:,} of {total:,} trials are drawn, to keep the page small: all finalists, all that were the "
                "best so far, and a regular selection of the others.",
                "note",
            )
        )
    blocks.append(Chart("History", reading, figures.history(shown), _best(figures.history_table(studies), "history")))
    blocks += [
        Doubt(key, f"The best values are at the {'bottom' if side == 'low' else 'top'} of the range.")
        for key, side in sides.items()
    ]
    if parameters:
        slices = tuple(_slice(studies, shown, parameter, sides.get(parameter.key)) for parameter in parameters)
        blocks.append(Row(f"Loss against each hyperparameter. {figures.SLICE_CAPTION}", slices))
        if left:
            blocks.append(
                Text(
                    f"The {len(parameters)} most important hyperparameters are drawn; the section Sensitivity lists "
                    f"the {left} others.",
                    "note",
                )
            )
        table = figures.parallel_table(studies, parameters)
        if len(table):
            blocks.append(
                Chart(
                    "All hyperparameters together",
                    figures.PARALLEL_CAPTION,
                    figures.parallel(shown, parameters),
                    _best(table, "all hyperparameters"),
                    later=True,
                )
            )
    return blocks


def _slice(
    studies: Sequence[StudyRecord], shown: Sequence[StudyRecord], parameter: Parameter, edge: Side | None
) -> Chart:
    figure = figures.slice_(shown, parameter, edge)
    # The repeats have the colours of the history above, which has a legend.
    figure.update_layout(height=HEIGHT, showlegend=False, margin={"b": 56})
    table = figures.slice_table(studies, parameter)
    return Chart(parameter.key, "", figure, _best(table, parameter.key))


def _best(table: Evidence, about: str) -> Table:
    """The best trials of a table of trials."""
    place = table.titles.index("Validation loss")
    best = table.sorted(lambda row: row[place]).head(SHOWN)
    text = "The trials with the lowest validation loss." if len(table) > SHOWN else f"Every trial: {about}."
    return rendered(best, text, more=ALL_TRIALS)


def _most_important(parameters: list[Parameter], measured: Sequence[Sensitivity], arm: str) -> list[Parameter]:
    """The hyperparameters that are drawn, in the order of the search space."""
    if len(parameters) <= MOST_SLICES:
        return parameters
    shares = {sensitivity.key: sensitivity.importance or 0.0 for sensitivity in measured if sensitivity.arm == arm}
    ranked = sorted(parameters, key=lambda parameter: -shares.get(parameter.key, 0.0))[:MOST_SLICES]
    return [parameter for parameter in parameters if parameter in ranked]


def thinned(studies: Sequence[StudyRecord], most: int) -> list[StudyRecord]:
    """The studies with about `most` trials in total: the finalists, those that were the best so far, and a regular
    selection of the others.
    """
    total = sum(len(study.trials) for study in studies)
    if total <= most:
        return list(studies)
    every = -(-total // max(most, 1))
    kept = []
    for study in studies:
        trials, best = [], float("inf")
        for place, trial in enumerate(study.trials):
            better = not trial.pruned and trial.validation_loss < best
            best = trial.validation_loss if better else best
            if better or trial.finalist_loss is not None or place % every == 0:
                trials.append(trial)
        kept.append(replace(study, trials=tuple(trials)))
    return kept


def sensitivity(result: Result) -> Section:
    """How much each hyperparameter of each arm matters."""
    measured = sensitivities(result.view)
    if not measured:
        nothing = missing(result, "There are no trials yet that show which hyperparameters matter.")
        return Section("Sensitivity", "sensitivity", tuple(nothing))
    known = [sensitivity for sensitivity in measured if sensitivity.importance is not None]
    blocks: list[Any] = []
    if known:
        table = numbers(importance.importance_table(known), more="The table below has all of them.")
        blocks.append(Chart("Importance", importance.CAPTION, importance.importance(known), table))
    else:
        blocks.append(Text("Too few trials to estimate importance.", "missing"))
    return Section("Sensitivity", "sensitivity", (*blocks, rendered(sensitivity_table(result.view))))
