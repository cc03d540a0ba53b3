"""What an experiment says as one JSON document: `cooldown show --json`."""

from dataclasses import asdict
from typing import Any

from cooldown.search.evidence.alarms import alarms
from cooldown.search.evidence.answer import answer
from cooldown.search.evidence.budgets import budget_document
from cooldown.search.evidence.credit import credit_document
from cooldown.search.evidence.measures import to_json as measures
from cooldown.search.evidence.pruning import pruning_document
from cooldown.search.evidence.references import reference_summaries
from cooldown.search.evidence.scope import scope
from cooldown.search.evidence.sensitivity import sensitivity_document
from cooldown.search.evidence.status import queue_document
from cooldown.search.evidence.summary import arm_summaries
from cooldown.search.evidence.verdict import compared_pair, pair_verdicts
from cooldown.search.evidence.view import View
from cooldown.search.statistics.finite import finite
from cooldown.storage import StudyRecord


def document(view: View) -> dict[str, Any]:
    """The document of `show --json`."""
    record, verdicts, pair = view.record, pair_verdicts(view), compared_pair(view)
    return {
        "name": record.name,
        "task": record.spec["task"],
        "status": record.status.value,
        "message": record.message,
        "queue": queue_document(record),
        "fingerprint": view.fingerprint,
        "answer": answer(view).to_json(),
        "scope": scope(view),
        "measures": measures(view.spec),
        "protocol": view.protocol,
        "spec": dict(record.spec),
        "extended_from": [dict(step) for step in record.extended_from],
        "looks": list(record.looks),
        "arms": [
            {
                **asdict(arm),
                "fingerprint": view.arm_fingerprints[arm.arm],
                "repeats": [_repeat(study) for study in view.searches(arm.arm)],
            }
            for arm in arm_summaries(view)
        ],
        "one_shots": [
            {"arm": arm, "repeats": [_repeat(study) for study in record.default_configs if study.arm == arm]}
            for arm in dict.fromkeys(study.arm for study in record.default_configs)
        ],
        "references": [reference.to_json() for reference in reference_summaries(view)],
        "verdicts": [verdict.to_json() for verdict in verdicts],
        "alarms": [asdict(alarm) for alarm in alarms(view, verdicts)],
        "budget": budget_document(view, pair),
        "credit": credit_document(view, pair),
        "sensitivity": sensitivity_document(view),
        "pruning": pruning_document(view),
        "task_fingerprint": record.task_fingerprint,
        "environment": dict(record.environment),
    }


def _repeat(study: StudyRecord) -> dict[str, Any]:
    winner = study.winner
    return {
        "repeat": study.repeat,
        "trials": len(study.trials),
        "gradient_evaluations": sum(curve.gradient_evaluations for curve in study.curves()),
        "best": winner
        and {
            "trial": winner.number,
            "config": winner.config.to_json(),
            "validation_loss": winner.validation_loss,
            "finalist_loss": winner.finalist_loss,
        },
        "evaluations": [
            {
                "seed": curve.seed,
                "test_loss": curve.final_loss,
                "test_score": finite(curve.final_score),
                "test_rmse": finite(curve.errors.rmse),
                "test_mae": finite(curve.errors.mae),
            }
            for curve in study.evaluations
        ],
    }
