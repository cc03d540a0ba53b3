"""The document of a configuration: what `--format json` and `--format toml` write, with where it comes from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import SCHEMA
from cooldown.objectives.random_streams import seeds
from cooldown.objectives.records import Curve, intermediate_losses
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.search.statistics.finite import finite
from cooldown.search.statistics.intervals import CONFIDENCE, mean_interval
from cooldown.storage import Purpose, StudyRecord


def document(chosen: Chosen) -> dict[str, Any]:
    """The configuration with its provenance, JSON-ready; docs/export.md says what each field means."""
    record, spec, study, trial = chosen.record, chosen.spec, chosen.study, chosen.trial
    curves = trial.curves
    return {
        "schema": SCHEMA,
        "config": chosen.config.to_json(),
        "network": _network(chosen),
        "arm": study.arm,
        "repeat": study.repeat,
        "trial": trial.number,
        "winner": trial is study.winner,
        "pruned": trial.pruned,
        "experiment": {
            "name": record.name,
            "status": record.status.value,
            "fingerprint": chosen.view.fingerprint,
            "extended_from": [dict(step) for step in record.extended_from],
            "spec": dict(record.spec),
        },
        "task": {"name": spec.task, "fingerprint": record.task_fingerprint},
        "splits": {
            "train": 0.6,
            "validation": 0.2,
            "test": 0.2,
            "test_random_state": seeds(spec.seed, "test split", count=1)[0],
            "validation_random_state": seeds(spec.seed, "validation split", study.repeat, count=1)[0],
        },
        "seeds": {purpose.value: [curve.seed for curve in curves.get(purpose, ())] for purpose in Purpose},
        "scores": {
            "validation_loss": _of_seeds([curve.final_loss for curve in curves[Purpose.SEARCH]]),
            "finalist_loss": _of_seeds([curve.final_loss for curve in curves.get(Purpose.FINALIST, ())]),
            "test_loss": _of_seeds([curve.final_loss for curve in curves.get(Purpose.EVALUATION, ())]),
            "test_score": _of_seeds([curve.final_score for curve in curves.get(Purpose.EVALUATION, ())]),
            "arm_test_loss": _of_repeats(record.of(study.arm)),
        },
        "curve": _curve(curves[Purpose.SEARCH], chosen.config.epochs),
        "gradient_evaluations": {
            "trial": _cost([curve for some in curves.values() for curve in some]),
            "study": _cost(study.curves()),
            "experiment": _cost([c for each in (*record.studies, *record.superseded) for c in each.curves()]),
        },
        "environment": dict(record.environment),
    }


def _network(chosen: Chosen) -> dict[str, Any] | None:
    """The widths and the activation of the multilayer perceptron, as far as they are known without the task's data."""
    task, origin = chosen.given_task, tasks.origin(chosen.spec.task)
    if task is None and origin == "built-in":
        task = tasks.get(chosen.spec.task)
    if isinstance(task, ArrayTask):
        hidden, activation = task.hidden, task.activation
    elif task is None and origin in ("table", "OpenML"):
        hidden, activation = ArrayTask.hidden, ArrayTask.activation
    else:
        return None
    return {"hidden": list(hidden if chosen.spec.hidden is None else chosen.spec.hidden), "activation": activation}


def _of_seeds(values: Sequence[float]) -> dict[str, Any] | None:
    """Mean and interval over the seeds of this one configuration: what other seeds would give, not other searches."""
    return _told(values, "seeds")


def _of_repeats(studies: Sequence[StudyRecord]) -> dict[str, Any] | None:
    """Mean and interval over the repeats of the arm: what tuning it again would give."""
    evaluated = [study.evaluations for study in studies if study.evaluations]
    return _told([float(np.mean([curve.final_loss for curve in each])) for each in evaluated], "repeats")


def _told(values: Sequence[float], over: str) -> dict[str, Any] | None:
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return None
    interval = mean_interval(np.array(known)) if len(known) > 1 else None
    return {
        "mean": float(np.mean(known)),
        "low": interval and interval.low,
        "high": interval and interval.high,
        "confidence": CONFIDENCE,
        over: len(known),
    }


def _curve(curves: Sequence[Curve], epochs: int) -> dict[str, Any]:
    """Per epoch the mean over the search's seeds of the capped validation loss, as the search saw it."""
    losses = intermediate_losses(curves, epochs).tolist()
    return {"validation_loss": [finite(loss) for loss in losses], "seeds": len(curves)}


def _cost(curves: Sequence[Curve]) -> int:
    return sum(curve.gradient_evaluations for curve in curves)
