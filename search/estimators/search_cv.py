"""`ScheduledSearchCV`: `fit` compares arms on its rows, and trains the best config on all of them."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from cooldown.objectives.config import TrainConfig
from cooldown.objectives.data.checks import ROWS, ROWS_OF_A_CLASS
from cooldown.objectives.data.sparse_features import sparse_preprocessor, takes_sparse_rows
from cooldown.objectives.errors import InputError
from cooldown.objectives.estimators import ScheduledMLPClassifier, ScheduledMLPRegressor
from cooldown.objectives.models.sparse_rows import is_sparse
from cooldown.objectives.strategies import STRATEGIES
from cooldown.objectives.tasks import ArrayTask, Kind, from_arrays
from cooldown.search.experiments import Interrupted, Result, compare
from cooldown.search.export import choose
from cooldown.search.spec.values import flatten

Model = ScheduledMLPClassifier | ScheduledMLPRegressor
Method = TypeVar("Method", bound=Callable[..., Any])

BY_ITSELF = ("arms", "trials", "repeats", "name", "workers", "db", "seed", "report", "task")
"""Arguments of `compare` that have a parameter of their own, or that the search sets."""


def _of_a_classifier(method: Method) -> Method:
    """Make `method` available only if the network that is searched for is a classifier."""
    return cast(Method, available_if(lambda search: is_classifier(search.estimator))(method))


class ScheduledSearchCV(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Compare arms as `cooldown.compare` does, then train the best config on all rows.

    Each repeat of an arm splits the rows into training, validation and test rows: configs are chosen by validation
    rows, and `result_` measures each arm's on test rows that its search has not seen. The best arm is the one with the
    lowest validation losses of its winners, and its best config is trained by `best_estimator_`. Features are
    standardized, in the search and before the network; sparse ones stay sparse: columns filled in at least two
    rows are kept, and divided by their largest absolute value.

    estimator: a `ScheduledMLPClassifier` or `ScheduledMLPRegressor`, which says what is searched for: the widths of the
        network, `activation`, `batch_size` and `epochs` of its runs, `n_seeds` of the refit, and `class_weight`.
        Strategies that it sets, such as `dropout`, are those of every run, unless an arm or `ranges` sets them. Its
        optimizer, schedule and learning rate are those of the best config in the end.
    arms, trials, repeats: as in `compare`; None for its default. Without repeats the search goes on until it knows
        which arm is better, as far as its budget goes.
    compare_params: a dict of further arguments of `compare`, such as {"ranges": {"adam.beta2": 0.99}, "finalists": 2}.
    workers: processes, None for one per core.
    db, name: the ledger that keeps the experiment, and its name there: an interrupted fit of the same rows with the
        same settings goes on where it stopped. Without `db` the ledger is temporary, and removed after the fit.
    random_state: None, an int or a RandomState: determines the search, and the refit unless the estimator has a
        `random_state` of its own.

    Attributes after `fit`:
    result_: the experiment's `cooldown.Result`, with its answer. best_arm_, best_config_: the arm that won, and its
        best config, a `TrainConfig`. best_estimator_: the pipeline of preprocessing and network that predicts.
        classes_: (K,) labels in ascending order, of a classifier. n_features_in_, feature_names_in_: as in
        scikit-learn.

    Raises InputError, a ValueError, in `fit`, as `compare` does, for example for too few rows to split: at least 5
    of each class are needed, or 10 for a regression.
    """

    classes_: NDArray[Any]
    best_config_: TrainConfig

    def __init__(
        self,
        estimator: Model,
        *,
        arms: Sequence[Any] | Mapping[str, Any] | None = None,
        trials: int | None = None,
        repeats: int | None = None,
        compare_params: Mapping[str, Any] | None = None,
        workers: int | None = None,
        db: str | PathLike[str] | None = None,
        name: str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.arms = arms
        self.trials = trials
        self.repeats = repeats
        self.compare_params = compare_params
        self.workers = workers
        self.db = db
        self.name = name
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Compare the arms on `X` (n, d), finite numbers, dense or sparse, and `y` (n,), labels or numbers; then train
        the best config.

        sample_weight: (n,) at least 0: weights of the rows in all losses, of the search and of the refit; a row of
        weight 0 is left out.
        """
        self._check_parameters()
        X, y, weights = self._read(X, y, sample_weight)
        # One number determines both the search and the refit.
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        # Without the task, which has the rows: a fitted estimator does not keep them.
        self.result_ = Result(self._compared(self._task(X, y, weights), seed).record)
        chosen = choose(self.result_.view)
        self.best_arm_, self.best_config_ = chosen.study.arm, chosen.config
        network = self.estimator.with_config(self.best_config_)
        if network.random_state is None:
            network.set_params(random_state=seed)
        preprocessing = sparse_preprocessor(scale=True).steps if is_sparse(X) else [("scaler", StandardScaler())]
        self.best_estimator_ = Pipeline([*preprocessing, ("network", network)])
        self.best_estimator_.fit(X, y, network__sample_weight=weights)
        if is_classifier(network):
            self.classes_ = network.classes_
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) the predictions of `best_estimator_`: labels, or numbers in the units of `y`."""
        return np.asarray(self._fitted().predict(self._further(X)))

    @_of_a_classifier
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) probabilities of the classes, in the order of `classes_`."""
        return np.asarray(self._fitted().predict_proba(self._further(X)))

    @_of_a_classifier
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """(n, K) logarithms of the probabilities."""
        return np.asarray(self._fitted().predict_log_proba(self._further(X)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy of a classifier, R² of a regressor."""
        return float(self._fitted().score(self._further(X), y, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags, of_network = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.estimator_type = of_network.estimator_type
        tags.classifier_tags, tags.regressor_tags = of_network.classifier_tags, of_network.regressor_tags
        tags.target_tags, tags.input_tags.sparse = of_network.target_tags, of_network.input_tags.sparse
        # A task has one target and one class per row.
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags

    def _check_parameters(self) -> None:
        """Raise InputError for parameters that `compare` does not check."""
        where = type(self).__name__
        if not isinstance(self.estimator, Model):
            raise InputError(
                f"{where}(estimator=...): must be a ScheduledMLPClassifier or a ScheduledMLPRegressor, got "
                f"{self.estimator!r:.80}; put preprocessing before the search, in a pipeline"
            )
        if self.name is not None and self.db is None:
            raise InputError(f"{where}(name={self.name!r}): needs db=, the ledger that keeps the experiment")
        given = self.compare_params
        if given is not None and not isinstance(given, Mapping):
            raise InputError(f"{where}(compare_params=...): must be a dict of arguments of compare, got {given!r:.80}")
        if twice := [key for key in given or () if key in BY_ITSELF]:
            raise InputError(f"{where}(compare_params=...): must not have {twice[0]!r}, which the search sets itself")

    def _read(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, NDArray[np.float64] | None]:
        """X (n, d), an array or a CSR array, y (n,) and the weights, without the rows of weight 0."""
        classifies = is_classifier(self.estimator)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=ROWS_OF_A_CLASS,
            y_numeric=not classifies,
        )
        if classifies:
            check_classification_targets(y)
        y, weights = column_or_1d(y, warn=True), None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
            known = weights > 0
            X, y, weights = X[known], y[known], np.asarray(weights[known])
        self._check_rows(X, y)
        return X, y, weights

    def _check_rows(self, X: Any, y: Any) -> None:
        """Raise InputError for rows that are too few to be split."""
        where = f"{type(self).__name__}.fit: X has n_samples={len(y)}, n_features={X.shape[1]}"
        if not is_classifier(self.estimator):
            if len(y) < ROWS:
                raise InputError(f"{where}; a search needs at least {ROWS} rows, to split them")
            return
        labels, counts = np.unique(y, return_counts=True)
        if (count := counts.min()) < ROWS_OF_A_CLASS:
            raise InputError(
                f"{where}; a search needs at least {ROWS_OF_A_CLASS} rows of each class, to split them, and class "
                f"{labels.tolist()[counts.argmin()]!r} has {count}"
            )

    def _task(self, X: Any, y: Any, weights: NDArray[np.float64] | None) -> ArrayTask:
        """The rows as a task that trains the estimator's network."""
        kind: Kind = "classification" if is_classifier(self.estimator) else "regression"
        hidden = tuple(np.atleast_1d(self.estimator.hidden_layer_sizes).tolist())
        task = from_arrays(X, y, name="rows", kind=kind, hidden=hidden, sample_weight=weights)
        return replace(task, activation=cast(Literal["relu", "tanh"], self.estimator.activation))

    def _settings(self) -> dict[str, Any]:
        """The arguments of `compare` that the estimator and `compare_params` set."""
        config, further = self.estimator.to_config(), dict(self.compare_params or {})
        strategies = {
            f"strategy.{name}": value
            for name, strategy in STRATEGIES.items()
            if (value := getattr(config, name)) != strategy.declared.default
        }
        given = further.pop("ranges", {})
        return {
            "batch_size": config.batch_size,
            "epochs": config.epochs,
            "class_weight": getattr(self.estimator, "class_weight", None),
            # What cannot be merged is refused by `compare`.
            "ranges": {**strategies, **flatten(given)} if isinstance(given, Mapping) else given,
            **further,
        }

    def _compared(self, task: ArrayTask, seed: int) -> Result:
        """The finished experiment on `task`."""
        settings = self._settings()
        with ExitStack() as stack:
            db = self.db
            if db is None:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cooldown-"))
                db = Path(folder) / "search.db"
            try:
                result = compare(
                    task,
                    name=self.name,
                    db=db,
                    workers=self.workers,
                    arms=self.arms,
                    trials=self.trials,
                    repeats=self.repeats,
                    seed=seed,
                    **settings,
                )
                if result.was_ended:
                    raise Interrupted
            except Interrupted:
                kept = "Nothing is kept: with db= finished work is" if self.db is None else "Finished work is kept"
                raise Interrupted(f"Interrupted. {kept}, and the same fit continues it") from None
            return result

    def _fitted(self) -> Pipeline:
        check_is_fitted(self)
        return self.best_estimator_

    def _further(self, X: Any) -> Any:
        """The rows (n, d) to predict, with the columns of those of `fit`; sparse ones if those were."""
        # Standardized columns have no cells that are zero.
        sparse = "csr" if takes_sparse_rows(self._fitted()) else False
        return validate_data(self, X, reset=False, accept_sparse=sparse, dtype=[np.float64, np.float32])
