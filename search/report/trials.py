"""What the searches tried: of every arm its history and its hyperparameters, and how much each of these matters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cooldown.search.evidence.edges import edges
from cooldown.search.evidence.sensitivity import DECADES, Sensitivity, sensitivities
from cooldown.search.evidence.tables import numeric_parameters, with_trials
from cooldown.search.experiments.result import Result
from cooldown.search.figures import captions
from cooldown.search.figures import trials as figures
from cooldown.search.report.answer import missing
from cooldown.search.report.blocks import Chart, Doubt, Part, Row, Section, Table, Text, numbers
from cooldown.search.report.numbers import optional
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.doubts import Side
from cooldown.storage import StudyRecord

if TYPE_CHECKING:
    import pandas

MOST_SLICES = 8
"""Hyperparameters of one arm that are drawn, the most important ones: a joint arm has dozens."""

MOST_POINTS = 40_000
"""Trials in all charts of all arms: so many are drawn in some seconds and take some 600 kB."""

SHOWN = 20
"""Rows of a table of trials, the best ones."""

HEIGHT = 300
"""Pixels of a chart of one hyperparameter, of which several stand side by side."""

ALL_TRIALS = "`cooldown trials NAME --csv` prints all of them."


def search(result: Result) -> Section:
    """A part for each arm that has trials."""
    record = result.record
    arms = [arm for arm in record.spec["arms"] if with_trials(record, arm)]
    if not arms:
        return Section("Search", "search", tuple(missing(result, "There are no trials yet.")))
    measured = sensitivities(record)
    crowded = {(edge.arm, edge.parameter.key): edge.side for edge in edges(record)}
    drawn = {arm: _most_important(numeric_parameters(record, arm), measured, arm) for arm in arms}
    # In the history, and in a chart for each hyperparameter.
    most = MOST_POINTS // sum(len(parameters) + 1 for parameters in drawn.values())
    parts = []
    for number, arm in enumerate(arms):
        studies = with_trials(record, arm)
        sides = {key: side for (of, key), side in crowded.items() if of == arm}
        left = len(numeric_parameters(record, arm)) - len(drawn[arm])
        blocks = _arm(studies, captions.history(record, studies), drawn[arm], sides, most, left)
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
    total, kept = (sum(len(study.trials) for study in each) for each in (studies, shown))
    blocks: list[Any] = []
    if kept < total:
        blocks.append(
            Text(
                f"{kept:,} of {total:,} trials are drawn, to keep the page small: all finalists, all that were the "
                "best so far, and of the others every so many.",
                "note",
            )
        )
    blocks.append(Chart("History", reading, figures.history(shown), _best(figures.history_table(studies), "history")))
    blocks += [
        Doubt(key, f"its best values crowd at the {'lower' if side == 'low' else 'upper'} end of its range.")
        for key, side in sides.items()
    ]
    if parameters:
        slices = tuple(_slice(studies, shown, each, sides.get(each.key)) for each in parameters)
        blocks.append(Row(f"Loss against each hyperparameter. {captions.SLICE}", slices))
        if left:
            blocks.append(
                Text(
                    f"The {len(parameters)} most important hyperparameters are drawn; {left} more are in the table of "
                    "the section Sensitivity.",
                    "note",
                )
            )
        table = figures.parallel_table(studies, parameters)
        if len(table):
            blocks.append(
                Chart(
                    "All hyperparameters together",
                    captions.PARALLEL,
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
    # The repeats have the colours of the history above, whose legend says so.
    figure.update_layout(height=HEIGHT, showlegend=False, margin={"b": 56})
    table = figures.slice_table(studies, parameter)
    return Chart(parameter.key, "", figure, _best(table, parameter.key))


def _best(frame: "pandas.DataFrame", about: str) -> Table:
    """The best trials of a table of trials."""
    best = frame.sort_values("Validation loss", kind="stable").head(SHOWN)
    told = "The trials with the lowest validation loss." if len(frame) > SHOWN else f"Every trial: {about}."
    return numbers(best, told, whole=len(frame), more=ALL_TRIALS)


def _most_important(parameters: list[Parameter], measured: Sequence[Sensitivity], arm: str) -> list[Parameter]:
    """As many as are drawn, in the order of the search space."""
    if len(parameters) <= MOST_SLICES:
        return parameters
    importance = {each.key: each.importance or 0.0 for each in measured if each.arm == arm}
    ranked = sorted(parameters, key=lambda each: -importance.get(each.key, 0.0))[:MOST_SLICES]
    return [each for each in parameters if each in ranked]


def thinned(studies: Sequence[StudyRecord], most: int) -> list[StudyRecord]:
    """The studies with about `most` trials in all: the finalists, those that were the best so far, and of the others
    every so many.
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
    found = sensitivities(result.record)
    if not found:
        nothing = missing(result, "There are no trials yet that could tell what matters.")
        return Section("Sensitivity", "sensitivity", tuple(nothing))
    known = [each for each in found if each.importance is not None]
    blocks: list[Any] = []
    if known:
        table = numbers(figures.importance_table(known), "", more="The table below has all.")
        blocks.append(Chart("Importance", captions.IMPORTANCE, figures.importance(known), table))
    else:
        blocks.append(Text("There are too few trials to tell what is important.", "missing"))
    rows = tuple(
        (
            each.key,
            each.arm,
            "–" if not each.width else optional(each.width, _form(each)),
            "–" if not each.width or each.low is None else f"{each.low:{_form(each)}} – {each.high:{_form(each)}}",
            "a choice" if each.unit is None else _of(each),
            "–" if each.best_low is None else f"{_value(each.best_low)} – {_value(each.best_high or 0.0)}",
            optional(each.importance, ".0%"),
        )
        for each in found
    )
    blocks.append(
        Table(
            ("Hyperparameter", "Arm", "Width", "95 % interval", "Of", "Good values", "Importance"),
            rows,
            "The width of the region in which a study came within 10 % of its best loss, in decades of a log scale "
            "(for a momentum or β, of 1 minus it) or as a share of a linear range, and where it lies. Periods are "
            "epochs, warm-ups updates.",
            frozenset({0, 1}),
        )
    )
    return Section("Sensitivity", "sensitivity", tuple(blocks))


def _form(each: Sensitivity) -> str:
    return ".2f" if each.unit == DECADES else ".0%"


def _of(each: Sensitivity) -> str:
    return f"{each.range_width:.1f} decades" if each.unit == DECADES else "range"


def _value(value: float) -> str:
    """With as many digits as a β near 1 needs."""
    return f"{value:.5g}" if 0.99 < value < 1 else f"{value:.3g}"
