"""`ScheduledMLPRegressor`: a multilayer perceptron for one target or several."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.preprocessing import StandardScaler

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._base import ScheduledMLP, available_without_reactions, tells_callbacks
from cooldown.objectives.estimators._rows import Rows, Weights
from cooldown.objectives.problem import Indices


class ScheduledMLPRegressor(RegressorMixin, ScheduledMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron trained with any optimizer, schedule and strategy of the catalogs.

    It minimizes the mean squared error of standardized targets: like a task, it centres and scales each target with the
    training rows' mean and deviation, because a search's learning rates are valid for that scale, and so that several
    targets count alike, whatever their units. `predict` returns the original units. Losses, also in `loss_curve_`, are
    in standardized units: 1 is the loss of predicting the means. Features are not scaled.

    Parameters and attributes are those of `ScheduledMLPClassifier`, except `classes_` and class_weight: the ensemble of
    `n_seeds` averages predictions, hidden_layer_sizes=() is linear regression, and rows are held out at random.
    """

    _mean: NDArray[np.float64]
    _scale: NDArray[np.float64]
    _one_target: bool

    @tells_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on `X` (n, d) and `y`, (n,) or (n, K), finite numbers; as for the classifier."""
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_without_reactions
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over `X` (n, d) and `y`, (n,) or (n, K), as the next epoch of a run of `epochs` epochs.

        As for the classifier. The targets' means and scales are those of the first call's rows, which should be
        representative.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions, averaged over the seeds: (n,), or (n, K) if `y` had that shape."""
        means = np.concatenate([outputs.mean(axis=0) for outputs in self._outputs(X)])
        predicted = means * self._scale + self._mean
        return predicted[:, 0] if self._one_target else predicted

    @property
    def layers_(self) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """As of the classifier; the outputs of the last layer are in the target's own units."""
        *hidden, (weights, biases) = super().layers_
        return [*hidden, (weights * self._scale, biases * self._scale + self._mean)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _read_target(self, y: NDArray[Any], _: Any = None, /) -> NDArray[Any]:
        self._one_target = y.ndim == 1
        return y.reshape(len(y), -1).astype(np.float64)

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        expected = () if self._one_target else self._mean.shape
        if y.shape[1:] != expected:
            raise InputError(f"{type(self).__name__}: y must have shape {('n', *expected)}, as at first, got {y.shape}")
        return y.reshape(len(y), -1).astype(np.float64)

    def _n_outputs(self) -> int:
        return len(self._mean)

    @property
    def _loss(self) -> Literal["squared_error"]:
        return "squared_error"

    def _strata(self, _: NDArray[Any]) -> None:
        return None

    def _learn_scale(self, target: NDArray[Any], weights: Weights) -> None:
        scaler = StandardScaler().fit(target, sample_weight=weights)
        # The scale of a constant is 1.
        self._mean, self._scale = scaler.mean_, scaler.scale_

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((target - self._mean) / self._scale)

    def _weights(self, rows: Rows, _: Indices) -> Weights:
        return rows.weights

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices, weights: Weights) -> float:
        of_train, of_measured = (None if weights is None else weights[rows] for rows in (train, measured))
        mean = np.average(target[train], axis=0, weights=of_train)
        return float(np.average(np.square(target[measured] - mean).mean(axis=1), weights=of_measured))
