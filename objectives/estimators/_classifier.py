"""`ScheduledMLPClassifier`: a multilayer perceptron for classes."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import column_or_1d

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._base import ScheduledMLP, available_without_reactions
from cooldown.objectives.problem import Indices


class ScheduledMLPClassifier(ClassifierMixin, ScheduledMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron trained with any optimizer, schedule and strategy of the catalogs.

    It minimizes the cross-entropy. Like `MLPClassifier` it does not scale features: put a `StandardScaler` before it
    in a pipeline, above all for a config from a search, because tasks standardize their features.

    hidden_layer_sizes: widths of the hidden layers; () is logistic regression. activation: "relu" or "tanh".
    optimizer: a name in `cooldown.optimizers`. learning_rate: the base rate, None for the optimizer's default.
    optimizer_params: a dict of its other hyperparameters, such as {"beta1": 0.8}; the others take their defaults. The
        learning rate may be given here instead, but not in both places.
    schedule: a name in `cooldown.schedules`. schedule_params: a dict of its hyperparameters; `period`, `every` and
        `patience` in epochs, `warmup_steps` in updates.
    batch_size: rows per update. epochs: passes over the training rows.
    early_stopping: None, or the number of epochs without a better held-out loss after which a seed stops, keeping the
        parameters of its best epoch. validation_fraction: in (0, 1), the share of the rows (stratified if possible)
        that a run with early stopping or a schedule such as "plateau" holds out to watch. Other runs train on all rows.
    shuffle, curriculum, gradient_noise, gradient_noise_decay, dropout, batch_norm, clip_norm, l2, weight_decay,
        initialization: strategies, off by default; see docs/strategies.md.
    n_seeds: number of networks trained together, whose probabilities are averaged. One that diverges is left out with a
        ConvergenceWarning.
    dtype: "float32" or "float64", the precision of the training; predictions are computed in float64.
    random_state: None, an int or a RandomState, as in scikit-learn; all seeds are derived from it: equal ints give
        equal bits, and network i does not depend on `n_seeds`.

    Attributes after `fit`, with E epochs and U updates of the seed that trained longest:
    classes_: (K,) labels in ascending order. n_features_in_, feature_names_in_: as in scikit-learn.
    loss_curve_: (E,) training losses, mean mini-batch loss of each epoch. validation_loss_curve_: (E,) held-out losses
        after each epoch, or None if no rows were held out. learning_rate_curve_: (U,) the learning rate of every update
        as executed, cuts by "plateau" included. All are means over the seeds that trained that long.
    curves_: a `Curve` for each seed of the last `fit`, including diverged ones. seeds_: the seeds, as for
        `cooldown.train`. n_iter_: number of trained epochs.

    Parameters are checked in `fit`: it raises InputError, a ValueError, with call, rule and value.
    """

    _loss: ClassVar[Literal["cross_entropy"]] = "cross_entropy"
    classes_: NDArray[Any]

    def fit(self, X: Any, y: Any) -> Self:
        """Train on `X` (n, d), finite numbers, and labels `y` (n,). Raises ValueError for other data."""
        return self._fit(X, y)

    @available_without_reactions
    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """One pass over `X` (n, d) and `y` (n,), as the next epoch of a run of `epochs` epochs.

        classes: all labels that may occur; required in the first call, which plans the schedule for `epochs` passes
        over as many rows. Optimizer state and rate continue from call to call; beyond the plan the last rate stays.
        `epochs` calls on the same rows equal one `fit`, bit for bit; after `fit`, a call continues its training. Not
        available with early stopping or a schedule such as "plateau". Parameters must not change between calls.
        """
        if getattr(self, "_standing", None) is None:
            if classes is None:
                raise InputError("classes must be passed on the first call to partial_fit.")
            self.classes_ = unique_labels(classes)
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise InputError(f"partial_fit(classes={classes!r}): the first call had {self.classes_!r}")
        return self._partial_fit(X, y)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) probabilities of the classes in the order of `classes_`, averaged over the seeds."""
        return np.concatenate([_softmax(outputs).mean(axis=0) for outputs in self._outputs(X)])

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the most probable labels."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])

    def _read_target(self, y: NDArray[Any]) -> NDArray[Any]:
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        return self._codes(labels)

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        return self._codes(column_or_1d(y, warn=True))

    def _codes(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise InputError(f"{type(self).__name__}: y has {unknown.tolist()!r:.80}, not among {self.classes_!r:.200}")
        return np.searchsorted(self.classes_, labels).astype(np.int64)

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _learn_scale(self, target: NDArray[Any]) -> None:
        """Classes have no scale."""

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        return target

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices) -> float:
        # As in a task: a class without training rows counts as one row.
        counts = np.maximum(np.bincount(target[train], minlength=self._n_outputs()), 1)
        return float(-np.log(counts / counts.sum())[target[measured]].mean())


def _softmax(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis; `outputs` is overwritten."""
    outputs -= outputs.max(axis=-1, keepdims=True)
    np.exp(outputs, out=outputs)
    outputs /= outputs.sum(axis=-1, keepdims=True)
    return outputs
