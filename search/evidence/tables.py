"""Rows made of an experiment's record, for whoever shows them: the dashboard's pages and the report."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cooldown.search.evidence.credit import tuning_gains
from cooldown.search.evidence.losses import means, test_losses, test_scores
from cooldown.search.evidence.sensitivity import updates_per_epoch
from cooldown.search.evidence.verdict import arm_summaries
from cooldown.search.spec.experiment import experiment
from cooldown.search.spec.space import Parameter, space
from cooldown.storage import ExperimentRecord, Purpose, StudyRecord, TrialRecord

GAINS = {
    "arm": "Arm",
    "default_loss": "Default",
    "tuned_loss": "Tuned",
    "difference": "Difference",
    "low": "95 % from",
    "high": "to",
    "repeats": "Repeats",
}
COSTS = {
    "arm": "Arm",
    "search": "Search",
    "evaluation": "Evaluation",
    "default": "Default config",
    "superseded": "Narrower ranges",
    "all": "All",
    "seconds": "Seconds of a core",
    "diverged": "Diverged",
}
WINNERS = {
    "arm": "Arm",
    "repeat": "Repeat",
    "trial": "Trial",
    "validation_loss": "Validation loss",
    "finalist_loss": "Finalist loss",
    "test_loss": "Test loss",
    "test_score": "Test score",
    "config": "Hyperparameters",
}
"""The columns of the tables below: the keys of a row, with their titles."""


def gains(record: ExperimentRecord) -> list[dict[str, Any]]:
    """What tuning did for each arm that has a default config."""
    return [asdict(gain) for gain in tuning_gains(record)]


def costs(record: ExperimentRecord) -> list[dict[str, Any]]:
    """What each arm cost, in gradient evaluations. Without ranges that were widened nothing is said of these."""
    found = [
        {
            "arm": arm.arm,
            "search": arm.search_gradient_evaluations,
            "evaluation": arm.evaluation_gradient_evaluations,
            "default": arm.default_gradient_evaluations,
            "superseded": arm.superseded_gradient_evaluations,
            "all": arm.gradient_evaluations,
            "seconds": arm.seconds,
            "diverged": arm.diverged,
        }
        for arm in arm_summaries(record)
    ]
    if not any(row["superseded"] for row in found):
        for row in found:
            del row["superseded"]
    return found


def winners(record: ExperimentRecord) -> list[dict[str, Any]]:
    """The winner of every study, arm by arm; what is not known yet is None."""
    losses, scores = ({arm: means(own) for arm, own in read(record).items()} for read in (test_losses, test_scores))
    return [
        {
            "arm": arm,
            "repeat": study.repeat,
            "trial": study.winner.number,
            "validation_loss": study.winner.validation_loss,
            "finalist_loss": study.winner.finalist_loss,
            "test_loss": losses[arm].get(study.repeat),
            "test_score": scores[arm].get(study.repeat),
            "config": study.winner.config,
            "parameters": dict(study.winner.parameters),
        }
        for arm in record.spec["arms"]
        for study in sorted(record.of(arm), key=lambda study: study.repeat)
        if study.winner
    ]


def numeric_parameters(record: ExperimentRecord, arm: str) -> list[Parameter]:
    """The numeric hyperparameters that an arm's search varies, and that some trial has."""
    spec = experiment(**record.spec)
    parsed = next(each for each in spec.parsed_arms if each.name == arm)
    tried = {key for study in record.of(arm) for trial in study.trials for key in trial.parameters}
    searched = space(spec, parsed, updates_per_epoch(record.studies) or 1).by_key.values()
    return [each for each in searched if isinstance(each, Parameter) and each.key in tried]


def with_trials(record: ExperimentRecord, arm: str) -> list[StudyRecord]:
    """The studies of an arm that have trials, by repeat."""
    return sorted((study for study in record.of(arm) if study.trials), key=lambda study: study.repeat)


def state(study: StudyRecord, trial: TrialRecord) -> str:
    """What became of a trial, in one word."""
    if trial is study.winner:
        return "winner"
    if trial.pruned:
        return "pruned"
    if trial.finalist_loss is not None:
        return "finalist"
    diverged = any(curve.outcome.value == "diverged" for curve in trial.curves[Purpose.SEARCH])
    return "diverged" if diverged else "complete"


def trials(studies: Sequence[StudyRecord]) -> list[dict[str, Any]]:
    """Every trial of an arm's studies with its state, losses and hyperparameters."""
    return [
        {
            "repeat": study.repeat,
            "trial": trial.number,
            "state": state(study, trial),
            "validation loss": trial.validation_loss,
            "finalist loss": trial.finalist_loss,
            **trial.parameters,
        }
        for study in studies
        for trial in study.trials
    ]
