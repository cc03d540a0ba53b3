"""Problems of a task with an `Aim`, or with weights of its rows: weights, measures, and the baseline under them."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.data.aim import Aim, check_labels, training_weights
from cooldown.objectives.data.task import Kind
from cooldown.objectives.errors import InputError
from cooldown.objectives.measures import checked
from cooldown.objectives.models.measuring import Measuring
from cooldown.objectives.models.mlp import MLP
from cooldown.objectives.problem import Problem


def check_aim(where: str, aim: Aim, kind: Kind, y: NDArray[Any], labels: tuple[str, ...], weighted: bool) -> None:
    """InputError for an aim that does not fit a task's targets `y`: (n,) classes, or numbers (n,) or (n, K).

    where: the start of messages that are not about a measure. weighted: whether rows have weights.
    """
    classifies = kind == "classification"
    if aim.class_weight is not None and not classifies:
        raise InputError(f"class_weight: {where} is a regression, which has no classes to weight")
    check_labels(aim.class_weight, labels)
    if aim.target_transform is not None:
        if classifies:
            raise InputError(f"target_transform {aim.target_transform!r}: {where} is a classification")
        if not (y > 0).all():
            row = int(np.argmax(~(y > 0).reshape(len(y), -1).all(axis=1)))
            raise InputError(
                f"target_transform 'log': the target of {where} must be above 0, got {np.min(y[row]):g} in row "
                f"{row + 1} (the first row is 1)"
            )
    for field in ("metric", "objective"):
        if (name := getattr(aim, field)) is not None:
            checked(
                field,
                name,
                classes=len(labels) if classifies else None,
                targets=1 if y.ndim == 1 else y.shape[1],
                weighted=weighted,
                positive=aim.target_transform == "log",
            )


def aimed(
    problem: Problem,
    aim: Aim,
    targets: NDArray[Any],
    labels: tuple[str, ...],
    scaling: tuple[Any, Any] | None,
    sample_weight: NDArray[np.float64] | None,
) -> Problem:
    """The problem, of a task without an aim, with the aim's weights and measures, and with the baseline under these.

    targets: (rows,) classes or (rows, K) numbers in their own units, in the model's rows. scaling: mean and scale of
    the numbers that a regression is trained to; None for classes. sample_weight: (rows,) or None.
    """
    model, train, held_out = problem.model, problem.train, problem.held_out
    assert isinstance(model, MLP)
    n, offset, scale = len(train), None, None
    if scaling is not None:
        mean, spread = scaling
        offset = np.broadcast_to(np.asarray(mean, np.float64), targets.shape).copy()
        scale = np.broadcast_to(np.asarray(spread, np.float64), targets.shape).copy()
    weights = None
    if aim.class_weight is not None or sample_weight is not None:
        weights = training_weights(targets.reshape(len(targets), -1)[:, 0], labels, aim.class_weight, sample_weight, n)
    measuring = None
    if aim.score is not None or aim.loss is not None or sample_weight is not None:
        measuring = Measuring(
            aim.score, aim.loss, targets, offset, scale, aim.target_transform is not None, sample_weight
        )
    problem = replace(problem, model=replace(model, weights=weights, measuring=measuring))
    if measuring is None:
        return problem
    among = None if sample_weight is None else sample_weight[:n] / sample_weight[:n].mean()
    if scaling is None:
        # A class without training rows counts as one row, so that the loss stays finite.
        counts = np.maximum(np.bincount(targets[:n], weights=among, minlength=len(labels)), 1)
        outputs = np.log(counts / counts.sum())
    else:
        outputs = np.average(model.y[:n], axis=0, weights=among)
    outputs = np.broadcast_to(outputs, (1, len(held_out), len(outputs)))
    known = np.array([problem.uninformed_loss]), np.array([problem.uninformed_score])
    losses, scores = measuring.measure(outputs, model.y, held_out, *known)
    if not np.isfinite(losses[0]):
        raise InputError(
            f"objective {aim.objective!r} is undefined on the {len(held_out)} held-out rows of a split, as where a "
            "class is missing; use another one, or more rows"
        )
    return replace(problem, uninformed_loss=float(losses[0]), uninformed_score=float(scores[0]))
