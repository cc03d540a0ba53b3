"""The document of a configuration with its provenance: what `--format json` and `--format toml` write."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cooldown.objectives import tasks
from cooldown.objectives.config import SCHEMA
from cooldown.objectives.data.splits import test_state, validation_state
from cooldown.objectives.records import Curve, intermediate_losses
from cooldown.objectives.tasks import ArrayTask
from cooldown.search.export.format import Chosen
from cooldown.search.statistics.finite import finite
from cooldown.search.statistics.intervals import CONFIDENCE, mean_interval
from cooldown.storage import Purpose, StudyRecord


def document(chosen: Chosen) -> dict[str, Any]:
    """The configuration with its provenance, JSON-ready; docs/export.md describes the fields."""
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
        "splits": _splits(chosen),
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
            "trial": _cost([curve for of_purpose in curves.values() for curve in of_purpose]),
            "study": _cost(study.curves()),
            "experiment": _cost([c for study in (*record.studies, *record.superseded) for c in study.curves()]),
        },
        # The versions of all packages are a file of their own: `cooldown export NAME --lock`.
        "environment": {key: value for key, value in record.environment.items() if key != "lock"},
    }


def _splits(chosen: Chosen) -> dict[str, Any]:
    """The shares of the rows, and the `random_state` of each call of `train_test_split` that drew the rows of this
    configuration; of a test set of the user's own its name, and the shares of the other rows. Where rows are split by
    groups, these are the states of the draws of groups; where they are split by time, nothing is drawn.
    """
    spec, repeat, curves = chosen.spec, chosen.study.repeat, chosen.trial.curves
    apart = {name: getattr(spec, name) for name in ("groups", "time") if getattr(spec, name) is not None}
    if spec.time is not None:
        shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
        return apart | (shares if spec.test is None else {"train": 0.75, "validation": 0.25, "test_set": spec.test})
    if spec.test is not None:
        parts: dict[str, Any] = {"train": 0.75, "validation": 0.25, "test_set": spec.test}
    else:
        drawn = test_state(spec.seed, None if spec.protocol == 1 else repeat)
        parts = {"train": 0.6, "validation": 0.2, "test": 0.2, "test_random_state": drawn}
    if spec.protocol == 1:
        return {**apart, **parts, "validation_random_state": validation_state(spec.seed, repeat, None)}
    states = {
        purpose.value: [validation_state(spec.seed, repeat, curve.seed) for curve in curves.get(purpose, ())]
        for purpose in Purpose
    }
    return {**apart, **parts, "validation_random_states": states}


def _network(chosen: Chosen) -> dict[str, Any] | None:
    """The widths and the activation of the multilayer perceptron; None if they are unknown without the task itself."""
    task, origin = chosen.given_task, tasks.origin(chosen.spec.task)
    if task is None and origin == "built-in":
        task = tasks.get(chosen.spec.task)
    if isinstance(task, ArrayTask):
        hidden, activation = task.hidden, task.activation
    elif task is None and origin in ("table", "OpenML", "upload"):
        hidden, activation = ArrayTask.hidden, ArrayTask.activation
    else:
        return None
    return {"hidden": list(hidden if chosen.spec.hidden is None else chosen.spec.hidden), "activation": activation}


def _of_seeds(values: Sequence[float]) -> dict[str, Any] | None:
    """Mean and interval over the seeds of this configuration: the variation between seeds, not between searches."""
    return _mean_with_interval(values, "seeds")


def _of_repeats(studies: Sequence[StudyRecord]) -> dict[str, Any] | None:
    """Mean and interval over the arm's repeats: the variation between independent searches."""
    losses = [
        float(np.mean([curve.final_loss for curve in study.evaluations])) for study in studies if study.evaluations
    ]
    return _mean_with_interval(losses, "repeats")


def _mean_with_interval(values: Sequence[float], over: str) -> dict[str, Any] | None:
    """over: the key of the number of values, "seeds" or "repeats"."""
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
    """Per epoch, the mean over the search's seeds of the capped validation loss, as the search used it."""
    losses = intermediate_losses(curves, epochs).tolist()
    return {"validation_loss": [finite(loss) for loss in losses], "seeds": len(curves)}


def _cost(curves: Sequence[Curve]) -> int:
    return sum(curve.gradient_evaluations for curve in curves)
