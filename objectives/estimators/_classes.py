"""What a classifier predicts: one class for each row, or a set of labels; from `y` to a network's target, and back."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._rows import Weights
from cooldown.objectives.problem import Indices

Numbers = NDArray[np.float64]


class Classes:
    """One of K classes for each row; the network's target is its number. labels: (K,) in ascending order."""

    loss: ClassVar[Literal["cross_entropy"]] = "cross_entropy"

    def __init__(self, labels: NDArray[Any]) -> None:
        self.labels = labels

    def target(self, y: Any) -> NDArray[Any]:
        """(n,) the classes' numbers; InputError for an unknown label."""
        labels = column_or_1d(y, warn=True)
        unknown = np.setdiff1d(labels, self.labels)
        if len(unknown):
            raise InputError(f"y has {unknown.tolist()!r:.80}, not among {self.labels!r:.200}")
        return np.asarray(np.searchsorted(self.labels, labels), np.int64)

    def weights(self, class_weight: Any, target: NDArray[Any], train: Indices, sample_weight: Weights) -> Numbers:
        """(n,) the weights of the rows' classes: of a mapping of labels, 1 for others; or as scikit-learn computes them
        from the rows `train` and their weights.
        """
        of_class = np.ones(len(self.labels))
        if isinstance(class_weight, Mapping):
            for label, weight in class_weight.items():
                if label not in self.labels:
                    raise InputError(f"class_weight has {label!r:.80}, not among {self.labels!r:.200}")
                if not 0 <= weight < np.inf:
                    raise InputError(
                        f"class_weight: weights must be finite and at least 0, got {weight!r} of {label!r:.80}"
                    )
                of_class[self.labels == label] = weight
        else:
            present, options = np.unique(target[train]), {}
            if sample_weight is not None:
                options["sample_weight"] = sample_weight[train]
            of_class[present] = compute_class_weight(class_weight, classes=present, y=target[train], **options)
        return np.asarray(of_class[target])

    def uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices, weights: Weights) -> float:
        """The loss on `measured` of the predictor of the class frequencies of `train`."""
        # As in a task: a class without training rows counts as one row.
        counted = None if weights is None else weights[train]
        counts = np.maximum(np.bincount(target[train], weights=counted, minlength=len(self.labels)), 1)
        losses = -np.log(counts / counts.sum())[target[measured]]
        return float(np.average(losses, weights=None if weights is None else weights[measured]))

    def probabilities(self, outputs: Numbers) -> Numbers:
        """Of the classes, along the last axis."""
        return np.asarray(softmax(outputs, axis=-1))

    def log_probabilities(self, outputs: Numbers) -> Numbers:
        """Their logarithms, also of those too small for a float."""
        return np.asarray(log_softmax(outputs, axis=-1))

    def predicted(self, probabilities: Numbers) -> NDArray[Any]:
        """(n,) the most probable labels."""
        return np.asarray(self.labels[probabilities.argmax(axis=1)])


class LabelSets:
    """Any of K labels for each row; the network's target says of each whether the row has it. labels: (K,) 0…K−1."""

    loss: ClassVar[Literal["binary_cross_entropy"]] = "binary_cross_entropy"

    def __init__(self, count: int) -> None:
        self.labels = np.arange(count)

    def target(self, y: Any) -> NDArray[Any]:
        """(n, K) truth values; InputError for another number of labels, and for other values than 0 and 1."""
        sets = np.asarray(y)
        if sets.ndim != 2 or sets.shape[1] != len(self.labels):
            raise InputError(f"y must have shape ('n', {len(self.labels)}), as at first, got {sets.shape}")
        if not np.isin(sets, (0, 1)).all():
            raise InputError("y must hold 0 and 1 only, which say whether a row has a label")
        return sets.astype(bool)

    def weights(self, class_weight: Any, *_: Any) -> Numbers:
        """Rows with several labels have no class to weigh: InputError."""
        raise InputError(f"class_weight={class_weight!r:.80}: is for one class per row; y has several labels per row")

    def uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices, weights: Weights) -> float:
        """The loss on `measured` of the predictor of the labels' frequencies in `train`."""
        n = len(target[train])
        share = np.average(target[train], axis=0, weights=None if weights is None else weights[train])
        # A label that all rows have, or none, is half a row short of it.
        share = np.clip(share, 0.5 / n, 1 - 0.5 / n)
        losses = -np.where(target[measured], np.log(share), np.log1p(-share)).mean(axis=1)
        return float(np.average(losses, weights=None if weights is None else weights[measured]))

    def probabilities(self, outputs: Numbers) -> Numbers:
        """Of each label."""
        return np.asarray(expit(outputs))

    def log_probabilities(self, outputs: Numbers) -> Numbers:
        """Their logarithms, also of those too small for a float."""
        return np.asarray(log_expit(outputs))

    def predicted(self, probabilities: Numbers) -> NDArray[Any]:
        """(n, K) 1 for a label that is more probable than not, else 0."""
        return (probabilities > 0.5).astype(np.int64)


def read_classes(y: Any, classes: Any = None) -> Classes | LabelSets:
    """What `y` shows a classifier to predict; classes: all labels that may occur, if they are known.

    Raises ValueError for a `y` of numbers or of several columns of classes.
    """
    kind = type_of_target(y, input_name="y")
    check_classification_targets(y)
    if kind == "multiclass-multioutput":
        raise InputError(f"y must be one class per row, or a matrix of 0 and 1, one column per label, got {kind}")
    if kind == "multilabel-indicator":
        if classes is not None and not np.array_equal(classes, np.arange(y.shape[1])):
            last = y.shape[1] - 1
            raise InputError(f"classes={classes!r:.80}: the labels of a y of {last + 1} columns are 0 to {last}")
        return LabelSets(y.shape[1])
    return Classes(np.unique(column_or_1d(y)) if classes is None else classes)
