"""`ScheduledMLPClassifier`: a multilayer perceptron for classes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_is_fitted

from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators._base import ScheduledMLP, available_without_reactions, tells_callbacks
from cooldown.objectives.estimators._classes import Classes, LabelSets, read_classes
from cooldown.objectives.estimators._rows import Rows, Weights
from cooldown.objectives.problem import Indices
from cooldown.objectives.strategies import default


class ScheduledMLPClassifier(ClassifierMixin, ScheduledMLP):  # type: ignore[misc]  # scikit-learn has no types
    """A multilayer perceptron trained with any optimizer, schedule and strategy of the catalogs.

    It minimizes the cross-entropy, or the mean of that of each label if rows have several labels (multilabel). Like
    `MLPClassifier` it does not scale features: put a `StandardScaler` before it in a pipeline, above all for a config
    from a search, because tasks standardize their features.

    hidden_layer_sizes: widths of the hidden layers; () is logistic regression. activation: "relu" or "tanh".
    optimizer: a name in `cooldown.optimizers`. learning_rate: the base rate, None for the optimizer's default.
    optimizer_params: a dict of its other hyperparameters, such as {"beta1": 0.8}; the others take their defaults. The
        learning rate may be given here instead, but not in both places.
    schedule: a name in `cooldown.schedules`. schedule_params: a dict of its hyperparameters; `period`, `every` and
        `patience` in epochs, `warmup_steps` in updates.
    batch_size: rows per update. epochs: passes over the training rows.
    early_stopping: None or False, or the number of epochs without a better held-out loss after which a seed stops,
        keeping the parameters of its best epoch; True for 10. validation_fraction: in (0, 1), the share of the rows
        (stratified if possible) that a run with early stopping or a schedule such as "plateau" holds out to watch,
        unless `fit` gets rows for that. Other runs train on all rows.
    class_weight: None, "balanced" or a dict of label to weight (1 where it has none), in all losses.
    shuffle, curriculum, gradient_noise, gradient_noise_decay, dropout, batch_norm, clip_norm, l2, weight_decay,
        initialization, averaging, averaging_decay, averaging_share, sam: strategies, off by default; see
        docs/strategies.md.
    asynchronous: None, or the name of an asynchronous method, whose workers are simulated, or a dict with its name and
        settings; see docs/asynchronous.md. It cannot be trained by `partial_fit`.
    n_seeds: number of networks trained together, whose probabilities are averaged. One that diverges is left out with a
        ConvergenceWarning.
    dtype: "float32" or "float64", the precision of the training; predictions are computed in float64.
    warm_start: whether `fit` begins with the parameters, classes and scale of the last fit; its schedule is a new one.
    verbose: whether `fit` prints each epoch's losses.
    random_state: None, an int or a RandomState, as in scikit-learn; all seeds are derived from it: equal ints give
        equal bits, and network i does not depend on `n_seeds`.

    Attributes after `fit`, with E epochs and U updates of the seed that trained longest:
    classes_: (K,) labels in ascending order, of a multilabel `y` the numbers of its columns. n_features_in_,
        feature_names_in_: as in scikit-learn.
    loss_curve_: (E,) training losses, mean mini-batch loss of each epoch. validation_loss_curve_: (E,) held-out losses
        after each epoch, or None if no rows were held out. learning_rate_curve_: (U,) the learning rate of every update
        as executed, cuts by "plateau" included. All are means over the seeds that trained that long.
    curves_: a `Curve` for each seed of the last `fit`, including diverged ones. seeds_: the seeds, as for
        `cooldown.train`. n_iter_: number of trained epochs. layers_: the weights and biases of the trained networks, as
        they predict.

    Parameters are checked in `fit`: it raises InputError, a ValueError, with call, rule and value. Callbacks of
    scikit-learn (`set_callbacks`) are told of each epoch, and may end the run.
    """

    classes_: NDArray[Any]
    _predicts: Classes | LabelSets

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (32,),
        activation: str = "relu",
        *,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        optimizer_params: Mapping[str, Any] | None = None,
        schedule: str = "constant",
        schedule_params: Mapping[str, Any] | None = None,
        batch_size: int = 32,
        epochs: int = 30,
        shuffle: bool = default("shuffle"),
        curriculum: str = default("curriculum"),
        early_stopping: bool | int | None = default("early_stopping"),
        validation_fraction: float = 0.2,
        gradient_noise: float = default("gradient_noise"),
        gradient_noise_decay: float = default("gradient_noise_decay"),
        dropout: float = default("dropout"),
        batch_norm: bool = default("batch_norm"),
        clip_norm: float | None = default("clip_norm"),
        l2: float = default("l2"),
        weight_decay: float = default("weight_decay"),
        initialization: str = default("initialization"),
        averaging: str = default("averaging"),
        averaging_decay: float = default("averaging_decay"),
        averaging_share: float = default("averaging_share"),
        sam: float = default("sam"),
        asynchronous: str | Mapping[str, Any] | None = None,
        class_weight: Literal["balanced"] | Mapping[Any, float] | None = None,
        n_seeds: int = 1,
        dtype: str = "float32",
        warm_start: bool = False,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            optimizer=optimizer,
            learning_rate=learning_rate,
            optimizer_params=optimizer_params,
            schedule=schedule,
            schedule_params=schedule_params,
            batch_size=batch_size,
            epochs=epochs,
            shuffle=shuffle,
            curriculum=curriculum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            gradient_noise=gradient_noise,
            gradient_noise_decay=gradient_noise_decay,
            dropout=dropout,
            batch_norm=batch_norm,
            clip_norm=clip_norm,
            l2=l2,
            weight_decay=weight_decay,
            initialization=initialization,
            averaging=averaging,
            averaging_decay=averaging_decay,
            averaging_share=averaging_share,
            sam=sam,
            asynchronous=asynchronous,
            n_seeds=n_seeds,
            dtype=dtype,
            warm_start=warm_start,
            verbose=verbose,
            random_state=random_state,
        )
        self.class_weight = class_weight

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
        """Train on `X` (n, d), finite numbers, dense or sparse, and `y`: labels (n,), or (n, K) of 0 and 1 that say
        which labels a row has. Raises ValueError for other data.

        sample_weight: (n,) at least 0. If all rows fit into one batch, one of weight k counts as k rows, to the last
        bit; otherwise weights multiply the losses, and only their ratios matter. Weight 0 leaves a row out.
        X_val, y_val, sample_weight_val: rows that are measured after each epoch, and watched by a run that depends on
        its held-out loss, which then trains on all of `X`.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_without_reactions
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass over `X` (n, d) and `y`, as the next epoch of a run of `epochs` epochs.

        classes: all labels that may occur, in this call or a later one; required in the first call, which plans the
        schedule for `epochs` passes over as many rows. sample_weight: as in `fit`. Optimizer state and rate continue
        from call to call; beyond the plan the last rate stays. `epochs` calls on the same rows equal one `fit`, bit for
        bit; after `fit`, a call continues its training. Not available with early stopping or a schedule such as
        "plateau". Parameters must not change between calls.
        """
        if isinstance(self.class_weight, str):
            raise InputError(
                f"{type(self).__name__}.partial_fit: class_weight={self.class_weight!r} needs all rows; give a dict of "
                "weights, or sample_weight"
            )
        if getattr(self, "_standing", None) is None:
            if classes is None:
                raise InputError("classes must be passed on the first call to partial_fit.")
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise InputError(f"partial_fit(classes={classes!r}): the first call had {self.classes_!r}")
        return self._partial_fit(X, y, sample_weight, None if classes is None else unique_labels(classes))

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) probabilities of the classes, or of each label, in the order of `classes_`; means over the seeds."""
        return np.concatenate([self._predicts.probabilities(outputs).mean(axis=0) for outputs in self._outputs(X)])

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) logarithms of the probabilities, finite also where those are too small for a float."""
        logarithms = [self._predicts.log_probabilities(outputs) for outputs in self._outputs(X)]
        return np.concatenate([logsumexp(each, axis=0) - np.log(len(each)) for each in logarithms])

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """The scores behind `predict`: for two classes (n,) the log odds of the second, for more (n, K) the logarithms
        of their probabilities, and for labels (n, K) the log odds of each.
        """
        check_is_fitted(self)
        if self._loss == "binary_cross_entropy":
            probabilities = self.predict_proba(X)
            smallest = np.finfo(np.float64).tiny
            return np.log(np.maximum(probabilities, smallest)) - np.log(np.maximum(1 - probabilities, smallest))
        logarithms = self.predict_log_proba(X)
        return logarithms[:, 1] - logarithms[:, 0] if logarithms.shape[1] == 2 else logarithms

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the most probable labels, or (n, K) 1 for each label that is more probable than not."""
        probabilities = self.predict_proba(X)
        return self._predicts.predicted(probabilities)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags

    @property
    def _loss(self) -> Literal["cross_entropy", "binary_cross_entropy"]:
        return self._predicts.loss

    def _read_target(self, y: NDArray[Any], classes: NDArray[Any] | None = None, /) -> NDArray[Any]:
        self._predicts = read_classes(y, classes)
        self.classes_ = self._predicts.labels
        return self._read_further_target(y)

    def _read_further_target(self, y: NDArray[Any]) -> NDArray[Any]:
        return self._predicts.target(y)

    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _strata(self, target: NDArray[Any]) -> NDArray[Any] | None:
        return target if target.ndim == 1 else None

    def _learn_scale(self, target: NDArray[Any], weights: Weights) -> None:
        """Classes have no scale."""

    def _scaled(self, target: NDArray[Any]) -> NDArray[Any]:
        return target

    def _weights(self, rows: Rows, train: Indices) -> Weights:
        if self.class_weight is None:
            return rows.weights
        of_class = self._predicts.weights(self.class_weight, rows.target, train, rows.weights)
        return of_class if rows.weights is None else of_class * rows.weights

    def _uninformed_loss(self, target: NDArray[Any], train: Indices, measured: Indices, weights: Weights) -> float:
        return self._predicts.uninformed_loss(target, train, measured, weights)
