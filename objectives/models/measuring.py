"""`Measuring`: what an MLP measures on held-out rows in place of its training loss and of accuracy or R²."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cooldown.objectives.measures import Measure, measured

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measuring:
    """The measures of an MLP's outputs, and what they need to know of its n rows.

    metric: the score; None for accuracy or R². objective: the loss; None for the training loss. targets: (n,) classes,
    (n, K) truth values for sets of labels, or (n, K) numbers in their own units. offset, scale: (n, K) each, by which
    outputs of a regression are brought to these units: outputs · scale + offset, and e to this power if `exponential`;
    None for classes. weights: (n,) of the rows in all measures; None if all count alike.
    """

    metric: Measure | None
    objective: Measure | None
    targets: NDArray[Any]
    offset: Numbers | None = None
    scale: Numbers | None = None
    exponential: bool = False
    weights: Numbers | None = None

    def measure(
        self, outputs: NDArray[Any], scaled: NDArray[Any], rows: NDArray[np.int64], losses: Numbers, scores: Numbers
    ) -> tuple[Numbers, Numbers]:
        """Losses and scores (R,) of outputs (R, m, K) on the rows `rows` (m,), one network at a time.

        scaled: (n, …) the targets that outputs are trained to. losses, scores: (R,) the training loss, and accuracy or
        R², with all rows alike.
        """
        weights = None if self.weights is None else self.weights[rows]
        if weights is not None:
            pairs = [_weighted(of_one, scaled[rows], weights) for of_one in outputs.astype(np.float64)]
            losses, scores = np.array(pairs).reshape(-1, 2).T
        if self.objective is None and self.metric is None:
            return losses, scores
        predictions = [self.predictions(of_one, rows) for of_one in outputs]
        targets = self.targets[rows]
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = targets[:, 0]

        def of_all(measure: Measure) -> Numbers:
            return np.array([measured(measure, targets, of_one, weights) for of_one in predictions], np.float64)

        if self.metric is not None:
            scores = of_all(self.metric)
        if self.objective is not None:
            same = self.metric is not None and self.metric.name == self.objective.name
            losses = self.objective.loss(scores if same else of_all(self.objective))
        return losses, scores

    def predictions(self, outputs: NDArray[Any], rows: NDArray[np.int64]) -> Numbers:
        """(m, K) probabilities of the classes, or numbers (m,) or (m, K) in their own units, from outputs (m, K)."""
        z = outputs.astype(np.float64)
        if self.scale is None or self.offset is None:
            probabilities = np.exp(z - z.max(axis=1, keepdims=True))
            return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))
        numbers = z * self.scale[rows] + self.offset[rows]
        if self.exponential:
            # Of a network that has not diverged, no prediction may be 0 or infinite.
            numbers = np.exp(np.clip(numbers, -700, 700))
        return numbers[:, 0] if numbers.shape[1] == 1 else numbers


def joined(each: Sequence[Measuring | None]) -> Measuring | None:
    """The same measures of the rows of all, one after the other; None if there are none."""
    present = [one for one in each if one is not None]
    if not present:
        return None
    first = present[0]

    def rows_of(read: Callable[[Measuring], Any]) -> Any:
        return None if read(first) is None else np.concatenate([read(one) for one in present])

    return Measuring(
        first.metric,
        first.objective,
        rows_of(lambda one: one.targets),
        rows_of(lambda one: one.offset),
        rows_of(lambda one: one.scale),
        first.exponential,
        rows_of(lambda one: one.weights),
    )


def label_losses(z: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """The cross-entropy of each label, of the shape of the logits `z`, whose truth values are `y`."""
    return np.asarray(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def _weighted(z: Numbers, targets: NDArray[Any], weights: Numbers) -> tuple[float, float]:
    """Training loss, and accuracy or R², of outputs (m, K) on weighted rows."""
    if targets.ndim == 1:
        z = z - z.max(axis=1, keepdims=True)
        losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), targets]
        hits = z.argmax(axis=1) == targets
        return float(np.average(losses, weights=weights)), float(np.average(hits, weights=weights))
    if targets.dtype == bool:
        losses, hits = label_losses(z, targets).mean(axis=1), ((z > 0) == targets).all(axis=1)
        return float(np.average(losses, weights=weights)), float(np.average(hits, weights=weights))
    loss = float(np.average(np.square(z - targets).mean(axis=1), weights=weights))
    centred = targets - np.average(targets, axis=0, weights=weights)
    variance = float(np.average(np.square(centred).mean(axis=1), weights=weights))
    return loss, 1 - loss / variance if variance > 0 else float("nan")
