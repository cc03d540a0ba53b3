"""`ScheduledMLPRegressor`: a multilayer perceptron for one target or several."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.preprocessing import StandardScaler

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._base import ScheduledMLP, available_without_reactions
from cooldown.objectives.problem import Indices


class ScheduledMLPRegressor(RegressorMixin, ScheduledMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron trained with any optimizer, schedule and strategy of the catalogs.

    It minimizes the mean squared error of standardized targets: like a task, it centres and scales targets with the
    training rows' means and deviations, because a search's learning rates are valid for that scale. Several targets are
    scaled together, by the root of their mean variance. `predict` returns the original units. Losses, also in
    `loss_curve_`, are in standardized units: 1 is the loss of predicting the mean. Features are not scaled.

    Parameters and attributes are those of `ScheduledMLPClassifier`, except `classes_`: the ensemble of `n_seeds`
    averages predictions, hidden_layer_sizes=() is linear regression, and rows are held out at random.
    """

    _loss: ClassVar[Literal["squared_error"]] = "squared_error"
    _mean: NDArray[np.float64]
    _scale: NDArray[np.float64]
    _one_target: bool

    def fit(self, X: Any, y: Any) -> Self:
        """Train on `X` (n, d) and `y`, (n,) or (n, K), finite numbers. Raises ValueError for other data."""
        return self._fit(X, y)

    @available_without_reactions
    def partial_fit(self, X: Any, y: Any) -> Self:
        """One pass over `X` (n, d) and `y`, (n,) or (n, K), as the next epoch of a run of `epochs` epochs.

        As for the classifier. The targets' means and scale are those of the first call's rows, which should be
        representative.
        """
        return self._partial_fit(X, y)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions, averaged over the seeds: (n,), or (n, K) if `y` had that shape."""
        means = np.concatenate([outputs.mean(axis=0) for outputs in self._outputs(X)])
        predicted = means * self._scale + self._mean
        return predicted[:, 0] if self._one_target else predicted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _read_target(self, y: NDArray[Any]) -> NDArray[Any]:
        self._one_target = y.ndim == 1
        return y.reshape(len(y), -1).astype(np.float64)

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        expected = () if self._one_target else self._mean.shape
        if y.shape[1:] != expected:
            raise InputError(f"{type(self).__name__}: y must have shape {('n', *expected)}, as at first, got {y.shape}")
        return y.reshape(len(y), -1).astype(np.float64)

    def _n_outputs(self) -> int:
        return len(self._mean)

    def _learn_scale(self, target: NDArray[Any]) -> None:
        scaler = StandardScaler().fit(target)
        self._mean = scaler.mean_
        # Together: a target that varies little has little weight. Constants have scale 1.
        together = np.full(target.shape[1], np.sqrt(scaler.var_.mean()) or 1.0)
        self._scale = scaler.scale_ if target.shape[1] == 1 else together

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        return np.asarray((target - self._mean) / self._scale)

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices) -> float:
        return float(np.square(target[measured] - target[train].mean(axis=0)).mean())
