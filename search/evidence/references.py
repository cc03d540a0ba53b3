"""The references beside the arms, which nobody tunes: their numbers, and the table under that of the arms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cooldown.objectives.records import Reference
from cooldown.objectives.references import SETTINGS
from cooldown.search.evidence.numbers import Form
from cooldown.search.evidence.table import Column, Table
from cooldown.search.evidence.view import View, once
from cooldown.search.statistics.finite import finite


@dataclass(frozen=True)
class ReferenceSummary:
    """One reference over its repeats. loss, score, rmse, mae: means over repeats, None where they are not known.
    spread: standard deviation of the loss between repeats. repeats: its record by repeat.
    """

    name: str
    loss: float
    spread: float | None
    score: float | None
    rmse: float | None
    mae: float | None
    repeats: dict[int, Reference]

    def to_json(self) -> dict[str, Any]:
        """The reference in `show --json`."""
        return {
            "name": self.name,
            "loss": self.loss,
            "score": self.score,
            "rmse": self.rmse,
            "mae": self.mae,
            "repeats": [
                {
                    "repeat": repeat,
                    "loss": reference.loss,
                    "score": finite(reference.score),
                    "rmse": finite(reference.errors.rmse),
                    "mae": finite(reference.errors.mae),
                    "seconds": reference.seconds,
                }
                for repeat, reference in self.repeats.items()
            ],
        }


@once
def reference_summaries(view: View) -> list[ReferenceSummary]:
    """Every reference in numbers; none in an experiment of an older version, and of a user's own model."""
    by_name: dict[str, dict[int, Reference]] = {}
    for repeat, references in sorted(view.record.references.items()):
        for reference in references:
            by_name.setdefault(reference.name, {})[repeat] = reference
    return [_summary(name, of_repeats) for name, of_repeats in by_name.items()]


def _summary(name: str, repeats: dict[int, Reference]) -> ReferenceSummary:
    references = list(repeats.values())
    losses = [reference.loss for reference in references]
    mean, spread = float(np.mean(losses)), float(np.std(losses, ddof=1)) if len(losses) > 1 else None
    if spread is not None and spread < 1e-12 * abs(mean):
        # Class frequencies are the same in every repeat, but for rounding.
        spread = 0.0
    return ReferenceSummary(
        name,
        mean,
        spread,
        _mean([reference.score for reference in references]),
        _mean([reference.errors.rmse for reference in references]),
        _mean([reference.errors.mae for reference in references]),
        repeats,
    )


def _mean(values: Sequence[float]) -> float | None:
    return finite(float(np.mean(values)))


@once
def reference_losses(view: View) -> dict[str, dict[int, float]]:
    """The test loss of each reference by repeat."""
    return {
        summary.name: {repeat: reference.loss for repeat, reference in summary.repeats.items()}
        for summary in reference_summaries(view)
    }


def references_table(view: View) -> Table:
    """The references in numbers, the lowest test loss first; without rows where there are none."""
    summaries = sorted(reference_summaries(view), key=lambda each: each.loss)
    settings = " and ".join(SETTINGS[each.name] for each in summaries if each.name in SETTINGS)
    not_tuned = f"Not tuned, on the arms' features and rows: scikit-learn's {settings}. " if settings else ""
    return Table(
        (
            Column("Reference"),
            Column("Test loss", Form.LOSS),
            Column("± repeats", Form.LOSS),
            Column("Score", Form.SCORE),
            Column("Repeats", Form.COUNT),
        ),
        [(each.name, each.loss, each.spread, each.score, len(each.repeats)) for each in summaries],
        f"{not_tuned}No model: class frequencies, or the mean target.",
    )
