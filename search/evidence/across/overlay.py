"""Experiments on different tasks over each other: their curves on a common scale, and their best configs side by side.

Losses of different tasks have different sizes. What they share is the baseline predictor, which knows only class
frequencies or the mean target: a loss is shown as a share of its loss.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cooldown.search.evidence.budgets import budget_curves
from cooldown.search.evidence.configs import settings_of
from cooldown.search.evidence.learning import band, winners_curves
from cooldown.search.evidence.losses import best_study
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.verdict import compared_pair
from cooldown.search.evidence.view import View
from cooldown.search.spec.arms import short

Overlaid = Mapping[tuple[str, str], "Line"]
"""By experiment and arm."""


@dataclass(frozen=True, eq=False)
class Line:
    """One curve. x: (n,) epochs or trials. y: (n,) validation loss, as a share of the baseline predictor's."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def learning_lines(views: Sequence[View]) -> Overlaid:
    """The winners' median validation loss by epoch, of the arms of each experiment's question."""
    lines = {}
    for view in views:
        curves = winners_curves(view)
        for arm in _arms(view):
            if arm in curves:
                median, _, _ = band(curves[arm].validation, curves[arm].diverged)
                epochs = np.asarray(curves[arm].axes["epochs"], np.float64)
                lines[view.name, arm] = Line(epochs, median / curves[arm].uninformed_loss)
    return lines


def budget_lines(views: Sequence[View]) -> Overlaid:
    """The expected best validation loss by number of trials, of the arms of each experiment's question."""
    lines = {}
    for view in views:
        curves, baseline = budget_curves(view), winners_curves(view)
        for arm in _arms(view):
            if arm in curves and arm in baseline:
                trials = np.asarray(curves[arm].trials, np.float64)
                lines[view.name, arm] = Line(trials, curves[arm].expected / baseline[arm].uninformed_loss)
    return lines


def configs_table(views: Sequence[View]) -> Table:
    """The best configs of the arms of each experiment's question, side by side: a column each."""
    found: dict[str, dict[str, str]] = {}
    for view in views:
        for arm in _arms(view):
            study = best_study(view, arm)
            if study is not None and study.winner is not None:
                found[f"{view.name}: {short(arm)}"] = dict(settings_of(study.winner.config))
    names = dict.fromkeys(name for settings in found.values() for name in settings)
    rows = [(name, *(settings.get(name) for settings in found.values())) for name in names]
    return Table((Column("Setting"), *map(Column, found)), rows, "The best config of each arm of the question.")


def lines_table(lines: Overlaid, x_title: str, y_title: str) -> Table:
    """The numbers of overlaid curves: a row for each point."""
    columns = (Column("Experiment"), Column("Arm", Form.ARM), Column(x_title, Form.COUNT), Column(y_title, Form.RATIO))
    rows = [
        (name, arm, float(x), float(y))
        for (name, arm), line in lines.items()
        for x, y in zip(line.x, line.y, strict=True)
    ]
    return Table(columns, rows)


def _arms(view: View) -> Sequence[str]:
    return compared_pair(view) or view.arms
