"""`ScheduledMLPClassifier`: a multilayer perceptron for classes."""

from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import column_or_1d

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._base import ScheduledMLP, where_it_goes_pass_by_pass
from cooldown.objectives.problem import Indices


class ScheduledMLPClassifier(ClassifierMixin, ScheduledMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron trained with any optimizer, schedule and strategy of the catalogs.

    It minimizes the cross-entropy. Features are taken as they are, as `MLPClassifier` takes them: put a
    `StandardScaler` before it in a pipeline where a search's config comes from a task, whose features are standardized.

    hidden_layer_sizes: widths of the hidden layers; () is logistic regression. activation: "relu" or "tanh".
    optimizer: a name of `objectives.optimizers`. learning_rate: its base rate, None for the optimizer's default.
    optimizer_params: a dict of its other hyperparameters, as {"beta1": 0.8}; what is left out takes its default. The
        rate may stand here instead, but not in both places.
    schedule: a name of `objectives.schedules`. schedule_params: a dict of its hyperparameters; `period`, `every` and
        `patience` in epochs, `warmup_steps` in updates.
    batch_size: rows per update. epochs: passes over the training rows.
    early_stopping: None, or after how many epochs without a better held-out loss a seed stops; it ends with the
        parameters of its best epoch. validation_fraction: in (0, 1), the share of the rows, with equal shares of the
        classes where possible, that a run which reacts (early stopping, or a schedule such as "plateau") watches and
        does not train on. Every other run trains on all rows.
    shuffle, curriculum, gradient_noise, gradient_noise_decay, dropout, batch_norm, clip_norm, l2, weight_decay,
        initialization: strategies, off unless given; `objectives.strategies.STRATEGIES` says what each does.
    n_seeds: networks trained together in one population, whose probabilities are averaged. One that diverges is left
        out with a ConvergenceWarning.
    dtype: "float32" or "float64", the arithmetic of the training; predictions are computed in float64.
    random_state: None, an int or a RandomState, as in scikit-learn. It gives one number, from which all seeds follow:
        equal ints give equal bits, and network i is the same whatever `n_seeds`.

    After `fit`, E epochs and U updates, as many as the longest-trained seed made:
    classes_: (K,) labels in ascending order. n_features_in_, feature_names_in_: as in scikit-learn.
    loss_curve_: (E,) training losses, mean mini-batch loss of each epoch. validation_loss_curve_: (E,) held-out losses
        after each epoch, or None where no rows were held out. learning_rate_curve_: (U,) the learning rate of every
        update as it was executed, reactions included. All are means over the seeds that trained that long.
    curves_: a `Curve` for each seed, those that diverged included, of the last call of `fit`. seeds_: the seeds of
        `objectives.train`. n_iter_: epochs that were trained.

    Values are checked in `fit`: InputError, a ValueError, names call, rule and value.
    """

    _loss: ClassVar[Literal["cross_entropy"]] = "cross_entropy"
    classes_: NDArray[Any]

    def fit(self, X: Any, y: Any) -> Self:
        """Train on `X` (n, d), finite numbers, and labels `y` (n,). Raises ValueError for other data."""
        return self._fit(X, y)

    @where_it_goes_pass_by_pass
    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:
        """One pass over `X` (n, d) and `y` (n,), as the next epoch of a run of `epochs` epochs.

        classes: all labels there will be; needed in the first call. The schedule is planned there, for `epochs` passes
        over as many rows; optimizer state and rate go on from call to call, update by update, and beyond the plan's end
        the last rate stays. `epochs` calls on the same rows are one `fit`, bit for bit; after a `fit` it trains on.
        Not there for a run that reacts. Parameters must stay the same between calls.
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
        """Classes have none."""

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        return target

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices) -> float:
        # As in a task: a class without a training row counts as one row.
        counts = np.maximum(np.bincount(target[train], minlength=self._n_outputs()), 1)
        return float(-np.log(counts / counts.sum())[target[measured]].mean())


def _softmax(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis; `outputs` is used up."""
    outputs -= outputs.max(axis=-1, keepdims=True)
    np.exp(outputs, out=outputs)
    outputs /= outputs.sum(axis=-1, keepdims=True)
    return outputs
