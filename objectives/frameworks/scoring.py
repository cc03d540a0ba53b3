"""Scores and baselines of a user's network from its outputs, whatever framework made them."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.measures import Measure, measured

Array = NDArray[Any]


@dataclass(frozen=True)
class Scoring:
    """How outputs are scored. kind: what the targets are. measure: a measure by name; None for accuracy or R².
    probabilities: whether the outputs of a classification are probabilities, not logits.

    Outputs of a classification have the classes along their second axis; a single one is that of class 1 of two.
    """

    kind: Literal["classification", "regression"]
    measure: Measure | None = None
    probabilities: bool = False

    def score(self, outputs: Any, targets: Array) -> float:
        """The score of outputs (m, …) for targets (m, …); NaN where it is not defined for their shapes."""
        if not isinstance(outputs, np.ndarray) or not len(targets):
            return float("nan")
        if self.measure is not None:
            return measured(self.measure, targets, self._predictions(outputs.astype(np.float64), targets))
        if self.kind == "classification":
            if outputs.ndim != targets.ndim + 1:
                return float("nan")
            return float((self._of_classes(outputs).argmax(axis=1) == targets).mean())
        if outputs.size != targets.size:
            return float("nan")
        numbers = targets.astype(np.float64)
        variance = numbers.var(axis=0).mean()
        error = np.square(outputs.astype(np.float64).reshape(numbers.shape) - numbers).mean()
        return float(1 - error / variance) if variance > 0 else float("nan")

    def uninformed(self, training: Array, m: int, outputs: tuple[int, ...]) -> Array | None:
        """(m, *outputs) what is predicted without looking at the inputs: the classes' frequencies, as logits are their
        logarithms, or the mean target; None if the outputs are not such numbers.

        training: (n, …) the targets of the training rows. outputs: the shape of one row's outputs.
        """
        row = training.shape[1:]
        if self.kind == "classification":
            if len(outputs) != len(row) + 1 or outputs[1:] != row:
                return None
            classes = max(outputs[0], 2)
            known = training[(training >= 0) & (training < classes)]
            # A class without training rows counts as one row, so that the loss stays finite.
            counts = np.maximum(np.bincount(known.ravel().astype(np.int64), minlength=classes), 1)
            frequencies = counts / counts.sum()
            constant = frequencies if self.probabilities else np.log(frequencies)
            if outputs[0] == 1:
                constant = constant[1:] if self.probabilities else constant[1:] - constant[0]
            constant = constant.reshape(-1, *(1,) * len(row))
        elif np.prod(outputs, dtype=int) == np.prod(row, dtype=int):
            constant = training.mean(axis=0, dtype=np.float64).reshape(outputs)
        else:
            return None
        return np.broadcast_to(constant, (m, *outputs)).copy()

    def _predictions(self, outputs: Array, targets: Array) -> Array:
        """Probabilities (m, K) of classes, or numbers in the targets' shape, as measures take them."""
        if self.kind == "regression":
            return outputs.reshape(targets.shape) if outputs.size == targets.size else np.full(targets.shape, np.nan)
        of_classes = self._of_classes(outputs)
        if self.probabilities:
            return of_classes
        shifted = np.exp(of_classes - of_classes.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def _of_classes(self, outputs: Array) -> Array:
        """Outputs (m, K, …) with one for each class."""
        if outputs.shape[1] > 1:
            return outputs
        first = 1 - outputs if self.probabilities else np.zeros_like(outputs)
        return np.concatenate([first, outputs], axis=1)
