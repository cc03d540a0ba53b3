"""`Aim`: what a network of a task is trained for and measured by, where it is not the task's own loss and score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.catalog import unknown_name
from cooldown.objectives.errors import InputError
from cooldown.objectives.measures import Measure, named, plain_name

BALANCED: Literal["balanced"] = "balanced"
LARGEST_WEIGHT = 1e6
"""Of a class: only ratios count, and single precision has no digits for larger ones."""

Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Aim:
    """Settings of training and measuring; all None for a task's own.

    metric: the score, by a name of `measures`. objective: the measure that is searched and decided by, as a loss; it
    is the score too if `metric` is None. class_weight: "balanced", or pairs of label and weight, as scikit-learn's:
    weights of the training rows, not of those measured. target_transform: "log" to train on the logarithm of the
    target.
    """

    metric: str | None = None
    objective: str | None = None
    class_weight: Literal["balanced"] | Weights | None = None
    target_transform: Literal["log"] | None = None

    def __post_init__(self) -> None:
        for field in ("metric", "objective"):
            if (name := getattr(self, field)) is not None:
                object.__setattr__(self, field, read_measure(name))

    def __bool__(self) -> bool:
        return self != OWN

    @property
    def score(self) -> Measure | None:
        """The measure that is shown as the score."""
        name = self.metric or self.objective
        return None if name is None else named(name)

    @property
    def loss(self) -> Measure | None:
        """The measure that is searched and decided by."""
        return None if self.objective is None else named(self.objective)

    @property
    def score_name(self) -> str | None:
        """The name of the score; None for the task's own."""
        return None if self.score is None else self.score.name

    @property
    def loss_name(self) -> str:
        """What the loss of held-out rows is called."""
        if self.loss is not None:
            return self.loss.loss_name
        return "loss" if self.target_transform is None else "loss on the log scale"


OWN = Aim()
"""The task's own loss and score, and no weights of classes."""


def read_measure(name: Any) -> str:
    """A measure's name as it is shown, from any of its names; InputError for what is no name."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"should be the name of a scorer of scikit-learn, such as roc_auc or mae, got {name!r:.80}")
    return plain_name(name.strip())


def read_class_weight(value: Any) -> Literal["balanced"] | Weights | None:
    """ "balanced", or pairs of label and weight in the labels' order, from a mapping; InputError for anything else."""
    if value is None:
        return None
    if isinstance(value, str) and value == BALANCED:
        return BALANCED
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"should be 'balanced' or a table of weights by label, got {value!r:.80}")
    for label, weight in value.items():
        number = isinstance(weight, int | float | np.number) and not isinstance(weight, bool)
        if not number or not 0 < weight <= LARGEST_WEIGHT:
            raise InputError(
                f"the weight of a class should be a number above 0 and at most {LARGEST_WEIGHT:,.0f}, "
                f"got {weight!r:.40} for {label!r:.80}"
            )
    return tuple(sorted((str(label), float(weight)) for label, weight in value.items()))


def training_weights(
    classes: NDArray[np.int64],
    labels: tuple[str, ...],
    class_weight: Literal["balanced"] | Weights | None,
    sample_weight: NDArray[np.float64] | None,
    n: int,
) -> NDArray[np.float64]:
    """(rows,) weights of rows in the training loss, of mean 1 over the first `n`, the training rows.

    classes: (rows,) 0…K−1, unused without class weights. labels: the K labels. sample_weight: (rows,) or None. A weight
    is the product of the row's and its class's, as in scikit-learn.
    """
    from sklearn.utils.class_weight import compute_class_weight

    weights = np.ones(len(classes)) if sample_weight is None else sample_weight.astype(np.float64)
    if class_weight == BALANCED:
        present, given = np.unique(classes[:n]), None if sample_weight is None else sample_weight[:n]
        of_class = np.ones(len(labels))
        of_class[present] = compute_class_weight(BALANCED, classes=present, y=classes[:n], sample_weight=given)
        weights = weights * of_class[classes]
    elif class_weight is not None:
        known = dict(class_weight)
        weights = weights * np.array([known.get(label, 1.0) for label in labels])[classes]
    return np.asarray(weights / weights[:n].mean())


def check_labels(class_weight: Literal["balanced"] | Weights | None, labels: tuple[str, ...]) -> None:
    """InputError for a class weight of a label that the task does not have."""
    if class_weight is not None and class_weight != BALANCED:
        for label, _ in class_weight:
            if label not in labels:
                raise unknown_name("label of class_weight", label, labels)
