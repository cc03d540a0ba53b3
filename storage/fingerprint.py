"""The fingerprint of an experiment: equal for two runs with the same results, timings aside."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from cooldown.objectives.canonical import canonical_json
from cooldown.objectives.records import Outcome
from cooldown.storage.records import ExperimentRecord, Purpose, StudyRecord
from cooldown.storage.rows import curve_row


def arm_fingerprints(studies: Sequence[StudyRecord]) -> dict[str, str]:
    """For each arm, SHA-256 of its trials, parameters, losses and curves, by repeat, trial and seed.

    The runs of an arm's default config have a separate fingerprint, under "default" and the arm's name; so do its
    searches over ranges that have been widened since.
    """
    digests: dict[str, Any] = {}
    newest = {study.arm: study.attempt for study in sorted(studies, key=lambda study: study.attempt)}
    for study in sorted(studies, key=lambda study: (study.arm, study.attempt, study.repeat)):
        name = f"default {study.arm}" if study.is_default else study.arm
        if not study.is_default and study.attempt < newest[study.arm]:
            name = f"search {study.attempt} of {study.arm}"
        digest = digests.setdefault(name, sha256())
        digest.update(canonical_json({"repeat": study.repeat}))
        for trial in sorted(study.trials, key=lambda trial: trial.number):
            digest.update(
                canonical_json(
                    {
                        "number": trial.number,
                        "parameters": dict(trial.parameters),
                        "validation_loss": _unsigned_zero(trial.validation_loss),
                    }
                )
            )
            for purpose in Purpose:
                for curve in sorted(trial.curves.get(purpose, ()), key=lambda curve: curve.seed):
                    row = curve_row(curve)
                    arrays = [row.pop(name) for name in ("train_loss", "held_out_loss", "held_out_score")]
                    # Times are not results; older ledgers lack the others, and their fingerprints must not change.
                    for name in ("seconds", "learning_rate", "kept_epoch", "uninformed_score", "rmse", "mae"):
                        del row[name]
                    if curve.outcome is Outcome.DIVERGED:
                        row["final_score"] = None
                    row = {name: _unsigned_zero(value) for name, value in row.items()}
                    digest.update(canonical_json({"purpose": purpose.value, **row}))
                    for array in arrays:
                        digest.update(len(array).to_bytes(8, "little") + array)
    return {arm: digest.hexdigest() for arm, digest in digests.items()}


def whole_fingerprint(arms: Mapping[str, str]) -> str:
    """SHA-256 over the fingerprints of all arms, independent of their order."""
    return sha256(canonical_json(sorted(arms.items()))).hexdigest()


def fingerprint(studies: Sequence[StudyRecord]) -> str:
    """SHA-256 over all arms of an experiment, independent of their order."""
    return whole_fingerprint(arm_fingerprints(studies))


def everything(record: ExperimentRecord) -> list[StudyRecord]:
    """All studies of an experiment: those that its fingerprint is over."""
    return [*record.studies, *record.default_configs, *record.superseded]


def _unsigned_zero(value: Any) -> Any:
    """The value as SQLite stores it: zero has no sign."""
    return value + 0.0 if isinstance(value, float) else value
