"""An experiment's trials, and the curves of all their replicates, as rows and as tables with the right types."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cooldown.objectives.records import Curve, Outcome
from cooldown.search.evidence.view import View
from cooldown.search.spec.space import Parameter
from cooldown.search.statistics.finite import finite
from cooldown.storage import ExperimentRecord, Purpose, StudyRecord, TrialRecord

if TYPE_CHECKING:
    import pandas as pd


def trial_rows(record: ExperimentRecord) -> list[dict[str, Any]]:
    """All trials of an experiment's searches, a dict each.

    validation_loss, finalist_loss, test_loss: means of the capped final losses over the seeds of each purpose, and
    likewise the scores; None where a trial has none. seconds: of training, of all its replicates. Parameters have the
    names that Optuna knows them by.
    """
    return [_row(study, trial) for study in record.studies for trial in study.trials]


def trials_frame(
    record: ExperimentRecord, arm: str | None = None, repeat: int | None = None, trial: int | None = None
) -> "pd.DataFrame":
    """A row per trial, as `trial_rows` has them. arm, repeat, trial: the rows to keep; None for all."""
    rows = trial_rows(record)
    return _typed([row for row in rows if _wanted(row["arm"], row["repeat"], row["trial"], arm, repeat, trial)])


def curves_frame(
    record: ExperimentRecord, arm: str | None = None, repeat: int | None = None, trial: int | None = None
) -> "pd.DataFrame":
    """A row per epoch of every replicate; the held-out loss is the validation loss, in an evaluation the test loss.

    A run that was looked at only once, at its end, has a held-out loss in its last row alone.
    """
    rows = [
        row
        for study in record.studies
        for each in study.trials
        if _wanted(study.arm, study.repeat, each.number, arm, repeat, trial)
        for row in _epochs(study, each)
    ]
    return _typed(rows)


def _row(study: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    curves = [curve for some in trial.curves.values() for curve in some]
    tested = trial.curves.get(Purpose.EVALUATION, ())
    return {
        "arm": study.arm,
        "repeat": study.repeat,
        "trial": trial.number,
        "generation": trial.generation,
        "validation_loss": trial.validation_loss,
        "validation_score": _score(trial.curves.get(Purpose.SEARCH, ())),
        "pruned": trial.pruned,
        "finalist_loss": trial.finalist_loss,
        "test_loss": float(np.mean([curve.final_loss for curve in tested])) if tested else None,
        "test_score": _score(tested),
        "diverged": sum(curve.outcome is Outcome.DIVERGED for curve in curves),
        "gradient_evaluations": sum(curve.gradient_evaluations for curve in curves),
        "updates": sum(curve.updates for curve in curves),
        "seconds": sum(curve.seconds for curve in curves),
        "optimizer": trial.config.optimizer.name,
        "schedule": trial.config.schedule.name,
        **trial.parameters,
    }


def _score(curves: Sequence[Curve]) -> float | None:
    """The mean over the seeds that have one."""
    known = [score for curve in curves if (score := finite(curve.final_score)) is not None]
    return float(np.mean(known)) if known else None


def _wanted(
    its_arm: str, its_repeat: int, its_trial: int, arm: str | None, repeat: int | None, trial: int | None
) -> bool:
    return arm in (None, its_arm) and repeat in (None, its_repeat) and trial in (None, its_trial)


def _epochs(study: StudyRecord, trial: TrialRecord) -> Iterator[dict[str, Any]]:
    for purpose, curves in trial.curves.items():
        for curve in curves:
            # Measured after every epoch, or once at its end.
            first = curve.train_loss.size if purpose is Purpose.EVALUATION else 1
            losses = dict(enumerate(curve.held_out_loss.tolist(), first))
            scores = dict(enumerate(curve.held_out_score.tolist(), first))
            rates = dict(enumerate(curve.learning_rate.tolist(), 1))
            for epoch, loss in enumerate(curve.train_loss.tolist(), 1):
                yield {
                    "arm": study.arm,
                    "repeat": study.repeat,
                    "trial": trial.number,
                    "purpose": purpose.value,
                    "seed": curve.seed,
                    "outcome": curve.outcome.value,
                    "epoch": epoch,
                    "train_loss": loss,
                    "held_out_loss": losses.get(epoch),
                    "held_out_score": scores.get(epoch),
                    "learning_rate": rates.get(epoch),
                }


def _typed(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    """The rows with a type for each column: a whole number that some rows lack stays one, and a text a text."""
    import pandas as pd

    table = pd.DataFrame(rows)
    for name in table.columns:
        known = [value for row in rows if (value := row.get(name)) is not None]
        kinds = {type(value) for value in known}
        whole = len(known) == len(rows)
        if kinds == {bool}:
            table[name] = table[name].astype("bool" if whole else "boolean")
        elif kinds == {int}:
            table[name] = table[name].astype("int64" if whole else "Int64")
        elif kinds <= {int, float}:
            table[name] = table[name].astype("float64")
        elif kinds == {str}:
            table[name] = table[name].astype("str")
    return table


def guessed(trial: TrialRecord) -> bool:
    """Whether a trial did no better than guessing with any of its search's seeds: diverged, or with a capped loss."""
    return not trial.pruned and all(curve.capped for curve in trial.curves[Purpose.SEARCH])


def state(study: StudyRecord, trial: TrialRecord) -> str:
    """What became of a trial, in one word."""
    if trial is study.winner:
        return "winner"
    if trial.pruned:
        return "pruned"
    if trial.finalist_loss is not None:
        return "finalist"
    diverged = any(curve.outcome is Outcome.DIVERGED for curve in trial.curves[Purpose.SEARCH])
    return "diverged" if diverged else "complete"


def outcome(study: StudyRecord, trial: TrialRecord) -> str:
    """The state of a trial in words that tell more: whether it did no better than guessing, or only some seeds
    diverged.
    """
    word = state(study, trial)
    if word != "winner" and guessed(trial):
        return "no better than guessing"
    return "some seeds diverged" if word == "diverged" else word


def numeric_parameters(view: View, arm: str) -> list[Parameter]:
    """The numeric hyperparameters that an arm's search varies, and that some trial has."""
    tried = {key for study in view.searches(arm) for trial in study.trials for key in trial.parameters}
    searched = view.space(arm).by_key.values()
    return [parameter for parameter in searched if isinstance(parameter, Parameter) and parameter.key in tried]
