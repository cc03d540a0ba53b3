"""Values ↔ columns: how curves, trials and studies are stored in the ledger's tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.records import NO_ERRORS, Curve, Errors, Outcome, Reference
from cooldown.storage.checking import (
    LATEST,
    check_curve,
    check_list,
    check_parameters,
    check_table,
    check_times,
)
from cooldown.storage.lease import check_holder
from cooldown.storage.records import (
    Change,
    InQueue,
    NewTrial,
    Purpose,
    Status,
    StudyKey,
    StudyRecord,
    TrialRecord,
    Work,
    WorkRecord,
)
from cooldown.storage.terms import Terms

OUTCOMES = {outcome.value: outcome for outcome in Outcome}
PURPOSES = {purpose.value: purpose for purpose in Purpose}
STATUSES = {status.value: status for status in Status}
CHANGES = {change.value: change for change in Change}

T = TypeVar("T")

TUNED = "tuned"
DEFAULT = "default"
"""The column `variant` of a study: a search, or the run of its arm's default config."""


def curve_row(curve: Curve) -> dict[str, Any]:
    """A curve's columns in the ledger."""
    return {
        "seed": curve.seed,
        "outcome": curve.outcome.value,
        "final_loss": curve.final_loss,
        "final_score": _number(curve.final_score),
        "train_loss": curve.train_loss.astype("<f8").tobytes(),
        "held_out_loss": curve.held_out_loss.astype("<f8").tobytes(),
        "held_out_score": curve.held_out_score.astype("<f8").tobytes(),
        "learning_rate": curve.learning_rate.astype("<f8").tobytes(),
        "kept_epoch": curve.kept_epoch,
        "uninformed_loss": curve.uninformed_loss,
        "uninformed_score": _number(curve.uninformed_score),
        **_errors_row(curve.errors),
        "gradient_evaluations": curve.gradient_evaluations,
        "updates": curve.updates,
        "seconds": curve.seconds,
    }


def _errors_row(errors: Errors) -> dict[str, float | None]:
    return {"rmse": _number(errors.rmse), "mae": _number(errors.mae)}


def _errors_from(row: Any) -> Errors:
    if (row.rmse is None) != (row.mae is None):
        raise ValueError("rmse and mae should both be there, or none")
    return NO_ERRORS if row.rmse is None else Errors(row.rmse, row.mae)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def curve_from(row: Any) -> tuple[Purpose, Curve]:
    """The purpose and the curve of a row: the inverse of `curve_row`. Raises ValueError if it cannot be a curve."""
    curve = Curve(
        seed=row.seed,
        outcome=_member(OUTCOMES, "outcome", row.outcome),
        train_loss=np.frombuffer(row.train_loss, "<f8"),
        held_out_loss=np.frombuffer(row.held_out_loss, "<f8"),
        held_out_score=np.frombuffer(row.held_out_score, "<f8"),
        learning_rate=np.frombuffer(row.learning_rate or b"", "<f8"),
        kept_epoch=row.kept_epoch,
        uninformed_loss=row.uninformed_loss,
        uninformed_score=math.nan if row.uninformed_score is None else row.uninformed_score,
        gradient_evaluations=row.gradient_evaluations,
        updates=row.updates,
        seconds=row.seconds,
        errors=_errors_from(row),
    )
    check_curve(curve)
    return _member(PURPOSES, "purpose", row.purpose), curve


def reference_row(experiment_id: int, repeat: int, reference: Reference) -> dict[str, Any]:
    """The columns of a repeat's reference."""
    return {
        "experiment_id": experiment_id,
        "repeat": repeat,
        "name": reference.name,
        "loss": reference.loss,
        "score": _number(reference.score),
        **_errors_row(reference.errors),
        "seconds": reference.seconds,
    }


def reference_from(row: Any) -> Reference:
    """The reference of a row; raises ValueError if it cannot be one."""
    score = math.nan if row.score is None else row.score
    return Reference(row.name, row.loss, score, _errors_from(row), row.seconds)


def curve_rows(purpose: Purpose, curves: Mapping[int, Sequence[Curve]]) -> list[dict[str, Any]]:
    """The rows of replicates trained for `purpose`; `curves` by trial id."""
    return [
        {"trial_id": trial_id, "purpose": purpose.value, **curve_row(curve)}
        for trial_id, of_trial in curves.items()
        for curve in of_trial
    ]


def work_rows(
    experiment_id: int,
    study: StudyRecord | None,
    repeat: int,
    purpose: Purpose,
    work: Sequence[Work],
    generation: int | None = None,
) -> list[dict[str, Any]]:
    """The rows of what workers have done of a job."""
    job = {
        "experiment_id": experiment_id,
        "study_id": None if study is None else study.id,
        "repeat": repeat,
        "purpose": purpose.value,
        "generation": generation,
    }
    return [{**job, "worker": each.worker, "started_at": each.started, "ended_at": each.ended} for each in work]


def work_from(row: Any) -> WorkRecord:
    """The work of a row; raises ValueError if it cannot be one."""
    if not 0 <= row.started_at <= row.ended_at <= LATEST:
        raise ValueError(f"it should begin before it ends, got {row.started_at!r} and {row.ended_at!r}")
    purpose = _member(PURPOSES, "purpose", row.purpose)
    return WorkRecord(row.study_id, row.repeat, purpose, row.generation, Work(row.worker, row.started_at, row.ended_at))


def trial_row(study_id: int, generation: int, trial: NewTrial, finished: float) -> dict[str, Any]:
    """A new trial's columns."""
    return {
        "study_id": study_id,
        "number": trial.number,
        "generation": generation,
        "parameters": dict(trial.parameters),
        "attributes": dict(trial.attributes),
        "config": trial.config.to_json(),
        "validation_loss": trial.validation_loss,
        "finished_at": finished,
    }


def trial_from(row: Any, curves: Mapping[Purpose, Sequence[Curve]]) -> TrialRecord:
    """The trial of a row, with its curves; raises ValueError if it cannot be one."""
    config = TrainConfig.from_json(row.config)
    check_parameters(row.parameters, config)
    check_table("attributes", row.attributes)
    if not curves.get(Purpose.SEARCH):
        raise ValueError("it has no curves of its search")
    if any(curve.train_loss.size > config.epochs for of_purpose in curves.values() for curve in of_purpose):
        raise ValueError(f"a curve is longer than the {config.epochs} epochs of its config")
    return TrialRecord(
        row.id,
        row.number,
        row.generation,
        row.parameters,
        row.attributes,
        config,
        row.validation_loss,
        {purpose: tuple(of_purpose) for purpose, of_purpose in curves.items()},
    )


def study_row(experiment_id: int, key: StudyKey, optuna_study_id: int) -> dict[str, Any]:
    """A new study's columns."""
    return {
        "experiment_id": experiment_id,
        "arm": key.arm,
        "repeat": key.repeat,
        "variant": DEFAULT if key.is_default else TUNED,
        "attempt": key.attempt,
        "optuna_study_id": optuna_study_id,
        "sampler_state": {},
    }


def study_key_from(row: Any) -> StudyKey:
    """The key of a study's row."""
    return StudyKey(row.arm, row.repeat, row.variant == DEFAULT, row.attempt)


def study_from(row: Any, trials: Sequence[TrialRecord]) -> StudyRecord:
    """The study of a row, with its trials; raises ValueError if it cannot be one."""
    check_table("sampler_state", row.sampler_state)
    if row.variant not in (TUNED, DEFAULT):
        raise ValueError(f"variant should be {TUNED} or {DEFAULT}, got {row.variant!r:.80}")
    is_default = row.variant == DEFAULT
    return StudyRecord(row.id, row.arm, row.repeat, row.sampler_state, tuple(trials), is_default, row.attempt)


def terms_row(terms: Terms) -> dict[str, Any]:
    """The columns of an experiment's terms."""
    return {**vars(terms), "tags": list(terms.tags) or None}


def terms_from(row: Any) -> Terms:
    """The terms of an experiment's row; raises ValueError where they are out of bounds."""
    return Terms(
        row.priority, row.time_limit, row.max_gradient_evaluations, row.owner, tuple(row.tags or ()), row.notes
    )


def place_from(row: Any) -> InQueue:
    """The place in the queue of an experiment's row that has been checked."""
    requested, plan = CHANGES.get(row.requested), bool(row.follows_plan)
    return InQueue(row.queued_at, requested, row.requeues, plan, row.seconds, bool(row.asked))


def alarms_from(row: Any) -> tuple[tuple[str, str], ...] | None:
    """Kind and arm of each alarm of an experiment's row; raises ValueError for what cannot be."""
    if row.alarms is None:
        return None
    check_list("alarms", row.alarms, list)
    for alarm in row.alarms:
        check_list("alarms", alarm, str)
        if len(alarm) != 2:
            raise ValueError(f"alarms should have kind and arm, got {alarm!r:.80}")
    return tuple((kind, arm) for kind, arm in row.alarms)


def check_experiment(row: Any) -> None:
    """Raise ValueError unless the row of an experiment can be read, apart from the fields of its spec."""
    check_table("spec", row.spec)
    check_table("environment", row.environment)
    _member(STATUSES, "status", row.status)
    if row.requested is not None:
        _member(CHANGES, "requested", row.requested)
    check_times(row)
    check_list("looks", row.looks, int)
    check_list("extended_from", row.extended_from, dict)
    check_list("tags", row.tags, str)
    alarms_from(row)
    terms_from(row)
    if row.holder is not None:
        check_holder(row.holder)


def _member(members: Mapping[str, T], name: str, value: Any) -> T:
    """The member of an enum with this value; raises ValueError for another value."""
    if value not in members:
        raise ValueError(f"{name} should be one of {', '.join(members)}, got {value!r:.80}")
    return members[value]
